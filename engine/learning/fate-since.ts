import { type Job, modelNameOf } from '../domain';
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
  const versionsOf = async ({ request: { partType, kind = 'patchcore' } }: Job): Promise<Versions> => {
    const name = modelNameOf(partType, kind);
    const switches = await models.history(partType, kind);
    return {
      deployed: new Set(switches.filter((one) => one.name === name).map(({ version }) => version)),
      present: new Set(await listVersions(models.folder, name)),
    };
  };
  return async (job) => {
    const { request, version, deployment } = job;
    if (version === null || deployment === undefined || deployment === 'deployed') return job;
    const name = modelNameOf(request.partType, request.kind ?? 'patchcore');
    const versions = known.get(name) ?? versionsOf(job);
    known.set(name, versions);
    const { deployed, present } = await versions;
    if (deployed.has(version)) return { ...job, deployment: 'deployed' };
    return present.has(version) ? job : { ...job, deployment: 'removed' };
  };
}
