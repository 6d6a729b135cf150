import { type Job, type ModelKind, modelNameOf } from '../domain';
import { listVersions } from '../packages';
import type { ModelRegistry } from './model-registry';

/** The versions of a model that were ever in production, and those that are there. */
interface Versions {
  readonly deployed: ReadonlySet<string>;
  readonly present: ReadonlySet<string>;
}

/**
 * Tells of ended jobs what has become of their versions since: somebody put them into production, or removed them. What is
 * known of a model is looked up once.
 */
export function fatesSince(models: Pick<ModelRegistry, 'history' | 'folder'>): (job: Job) => Promise<Job> {
  const known = new Map<string, Promise<Versions>>();
  const versionsOf = async (name: string, partType: string, kind: ModelKind): Promise<Versions> => {
    const switches = await models.history(partType, kind);
    return {
      deployed: new Set(switches.filter((one) => one.name === name).map(({ version }) => version)),
      present: new Set(await listVersions(models.folder, name)),
    };
  };
  return async (job) => {
    const { version, deployment } = job;
    if (version === null || deployment === undefined || deployment === 'deployed') return job;
    const { partType, kind = 'patchcore' } = job.request;
    const name = modelNameOf(partType, kind);
    const versions = known.get(name) ?? versionsOf(name, partType, kind);
    known.set(name, versions);
    const { deployed, present } = await versions;
    if (deployed.has(version)) return { ...job, deployment: 'deployed' };
    return present.has(version) ? job : { ...job, deployment: 'removed' };
  };
}
