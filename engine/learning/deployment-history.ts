import type { DeploymentRecord } from '../domain';

/**
 * What was in production before the current version, the latest first: each roll-back takes back the deployments after the
 * one it went back to.
 *
 * @param newestFirst all switches of a model
 */
export function earlierDeployments(newestFirst: readonly DeploymentRecord[]): readonly DeploymentRecord[] {
  const standing: DeploymentRecord[] = [];
  for (const record of newestFirst.toReversed()) {
    if (record.action === 'deploy') {
      standing.push(record);
      continue;
    }
    standing.pop();
    while (standing.length > 0 && !isSame(standing[standing.length - 1], record)) standing.pop();
  }
  return standing.slice(0, -1).reverse();
}

function isSame(one: DeploymentRecord, other: DeploymentRecord): boolean {
  return one.name === other.name && one.version === other.version;
}

/** Whether two are the same switch; null: none. */
export function isSameSwitch(one: DeploymentRecord | null, other: DeploymentRecord | null): boolean {
  return one?.name === other?.name && one?.version === other?.version && one?.at === other?.at;
}
