import { availableParallelism } from 'node:os';
import {
  type DeploymentPolicy,
  type GateDecision,
  type ModelKind,
  modelNameOf,
  type SnapshotReference,
  type Thresholds,
} from '../../domain';
import { readManifest } from '../../packages';
import type { Store } from '../../store';
import type { ModelRegistry } from '../model-registry';
import { partDefects } from '../part-defects';
import { contentOf, partContradicted } from '../snapshots';
import type { GateOrder, GatePicture } from './gate-order';

/** A candidate that was just made. */
export interface GateWish {
  readonly kind: ModelKind;
  readonly partType: string;
  /** Of the candidate, which is among the models already. */
  readonly version: string;
  /** The snapshot it learnt from; null: the labels as they are now. */
  readonly dataset: SnapshotReference | null;
  readonly policy: DeploymentPolicy | null;
  /** What the training itself made of it. */
  readonly trained: GateDecision | null;
}

/** What the gate needs of a station. */
export interface GateContext {
  readonly store: Pick<Store, 'dataFolder' | 'inspections' | 'labels' | 'pictures' | 'settings' | 'snapshots'>;
  readonly models: Pick<ModelRegistry, 'deployed' | 'folderOf'>;
  /** Thresholds of anomaly scores that the routers use where a part type has none; null, and unless told: the model's. */
  readonly routerThresholds?: () => Thresholds | null;
  /** SQLite file in the data folder; `inspection.sqlite` unless told. */
  readonly databaseFile?: string;
  /** Production pictures on which decisions are compared unless the policy says another number; 200 unless told. */
  readonly gatePictures?: number;
}

/** Production pictures that are looked at unless the policy says another number. */
const PRODUCTION_PICTURES = 200;

/**
 * What the gate is to do with a candidate, as things stand now.
 *
 * @throws {ModelInvalid} when the version in production is damaged
 */
export async function gateOrderOf(wish: GateWish, context: GateContext): Promise<GateOrder> {
  const { kind, partType, version, dataset, policy, trained } = wish;
  const { models, store } = context;
  const name = modelNameOf(partType, kind);
  const deployed = await models.deployed(partType, kind);
  const isItself = deployed?.name === name && deployed.version === version;
  const against = deployed === null || isItself ? null : deployed;
  const ofPartType = (await store.settings.routing(partType)).thresholds;
  const ofRouters = context.routerThresholds?.() ?? null;
  const inForce = ofPartType ?? ofRouters;
  const inspected = await store.inspections.list({ partType, state: 'settled', limit: 1 });
  const last = policy?.kind === 'automatic' ? policy.shadow : undefined;
  const pictures = await labelledPictures(partType, dataset, store);
  return {
    task: 'judge',
    kind,
    candidate: { name, version, folder: models.folderOf(name, version) },
    against: against && { name: against.name, version: against.version, folder: against.folder },
    dataset,
    pictures,
    production: {
      dataFolder: store.dataFolder,
      databaseFile: context.databaseFile,
      partType,
      last: inspected.items.length === 0 ? 0 : (last ?? context.gatePictures ?? PRODUCTION_PICTURES),
    },
    thresholds: { before: inForce, after: kind === 'patchcore' ? ofRouters : inForce },
    policy,
    levelledBefore:
      kind === 'patchcore' && against ? await levelledBefore(against.folder, dataset, pictures, store) : 0,
    trained,
    threads: Math.max(1, availableParallelism() - 1),
  };
}

/** How many of the pictures that judge have set the accept level of the version in `folder`, and not that of the candidate. */
async function levelledBefore(
  folder: string,
  learnt: SnapshotReference | null,
  pictures: readonly GatePicture[],
  { snapshots }: Pick<Store, 'snapshots'>,
): Promise<number> {
  const { snapshot } = (await readManifest(folder, 'patchcore')).dataset;
  const taken = snapshot ? await snapshots.get(snapshot.id) : null;
  if (taken === null) return 0;
  const { judges, levels } = partDefects(pictures);
  const before = new Set(partDefects(taken.items).levels.map(({ id }) => id));
  const ofCandidate = new Set(learnt === null ? [] : levels);
  return judges.filter((picture) => before.has(picture.id) && !ofCandidate.has(picture)).length;
}

/**
 * The pictures of a snapshot, or those of a part type that are labelled now; one labelled both OK and NG is NG.
 *
 * @param snapshot null, or one that is gone: the labels as they are now
 */
export async function labelledPictures(
  partType: string,
  snapshot: SnapshotReference | null,
  { labels, pictures, snapshots }: Pick<Store, 'labels' | 'pictures' | 'snapshots'>,
): Promise<readonly GatePicture[]> {
  const taken = snapshot === null ? null : await snapshots.get(snapshot.id);
  const { items } = taken ?? (await contentOf(await labels.labelled(partType)));
  return partContradicted(items).clear.map(({ id, label, boxes, class: own, split, source, picturePath }) => ({
    ...{ id, label, boxes, split, source },
    ...(own !== undefined && { class: own }),
    picture: pictures.absolute(picturePath),
  }));
}
