import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { STARTER_DETECTOR } from '../detector';
import { modelNameOf, type SnapshotReference, type TrainingRequest, type TrainingSource } from '../domain';
import { nextVersion, readManifest } from '../packages';
import type { Store } from '../store';
import { NoPicturesToLearn, NothingToUpdate } from './errors';
import { datasetText } from './labelled-dataset';
import { partDefects } from './part-defects';
import { partContradicted, type SnapshotFile, Snapshots } from './snapshots';
import type { TrainingContext } from './training-context';
import type {
  ClassifierOrder,
  DatasetSource,
  DetectorOrder,
  LabelledFile,
  NamedFile,
  PatchcoreOrder,
  PictureSource,
  TrainingOrder,
} from './training-messages';

type Place = Pick<
  TrainingOrder,
  'partType' | 'name' | 'version' | 'outFolder' | 'workFolder' | 'threads' | 'dataset' | 'contradicted'
>;

/** The labelled pictures of the moment, as a snapshot has them. */
interface Taken {
  readonly reference: SnapshotReference;
  readonly files: readonly SnapshotFile[];
  /** Left out of the files. */
  readonly contradicted: readonly string[];
}

/**
 * What the training process is to do for a checked request: what is in production and which pictures are labelled is
 * looked up now, when the job starts. Of labelled pictures a snapshot is taken.
 *
 * @param workFolder of the job
 * @param actor      who wants it, for the record
 * @throws {NothingLabelled} @throws {NoPicturesToLearn} when there are none (any more)
 */
export async function makeOrder(
  request: TrainingRequest,
  workFolder: string,
  context: TrainingContext,
  actor: string,
): Promise<TrainingOrder> {
  const { kind = 'patchcore', partType } = request;
  const name = modelNameOf(partType, kind);
  const version = await nextVersion(context.models.folder, name);
  const outFolder = outFolderOf(workFolder, version);
  const threads = Math.max(1, availableParallelism() - 1);
  const taken = request.source.kind === 'labelled' ? await takeLabels(partType, context, actor) : null;
  const { reference: dataset = null, contradicted = [] } = taken ?? {};
  const place = { partType, name, version, outFolder, workFolder, threads, dataset, contradicted };
  switch (kind) {
    case 'patchcore':
      return patchcoreOrder(request, place, context, taken);
    case 'detector':
      return detectorOrder(request, place, context, taken);
    case 'classifier':
      return classifierOrder(request, place, context, taken);
  }
}

/** Where the package of a job is written. */
export function outFolderOf(workFolder: string, version: string): string {
  return join(workFolder, 'package', version);
}

async function takeLabels(partType: string, context: TrainingContext, actor: string): Promise<Taken> {
  const snapshots = context.snapshots ?? new Snapshots(context.store);
  const snapshot = await snapshots.take(partType, actor);
  const { clear, contradicted } = partContradicted(snapshots.files(snapshot));
  const reference = { id: snapshot.id, hash: snapshot.hash };
  return { reference, files: clear, contradicted: contradicted.map(({ id }) => id) };
}

async function patchcoreOrder(
  request: TrainingRequest,
  place: Place,
  context: TrainingContext,
  taken: Taken | null,
): Promise<PatchcoreOrder> {
  const { partType, options = {}, backbone } = request;
  const source = pictureSource(request, taken);
  const deployed = await context.models.deployed(partType).catch((error) => {
    if (options.update) throw error;
    return null;
  });
  if (options.update && deployed === null) throw new NothingToUpdate(partType);
  const labelled = taken?.files ?? [];
  return {
    kind: 'patchcore',
    ...place,
    parent: deployed?.version ?? null,
    source,
    defects: partDefects(labelled).levels.map(toNamed),
    withdrawn: options.update && taken ? await withdrawnFiles(partType, labelled, context.store) : [],
    sourceText: pictureText(source),
    backbone: await backboneFile(backbone, context.backbones),
    options,
    updateFrom: options.update && deployed ? deployed.folder : null,
  };
}

/** What a version may have learnt as good and nobody calls so any more; defects that judge are learnt by none either. */
async function withdrawnFiles(
  partType: string,
  labelled: readonly SnapshotFile[],
  { labels, pictures }: TrainingContext['store'],
): Promise<readonly NamedFile[]> {
  const withdrawn = await labels.withdrawn(partType);
  return [
    ...withdrawn.map(({ id, picturePath, sha256 }) => ({ name: id, path: pictures.absolute(picturePath), sha256 })),
    ...labelled.filter(({ label }) => label === 'NG').map(toNamed),
  ];
}

async function detectorOrder(
  request: TrainingRequest,
  place: Place,
  context: TrainingContext,
  taken: Taken | null,
): Promise<DetectorOrder> {
  const { partType, detector: options = {} } = request;
  const source = datasetSource(request, taken);
  const deployed = await context.models.deployed(partType, 'detector').catch((error) => {
    if (options.base === 'deployed') throw error;
    return null;
  });
  const { replay } = options;
  const within = request.source.kind === 'dataset' ? request.source.within : undefined;
  return {
    kind: 'detector',
    ...place,
    parent: deployed?.version ?? null,
    source,
    sourceText: datasetText(source),
    base: await baseOf(options.base, deployed),
    replay: replay === undefined ? null : { path: replay, ...(within && { within }) },
    options,
    command: options.trainer === 'external' ? (context.externalTrainer ?? null) : null,
  };
}

async function classifierOrder(
  request: TrainingRequest,
  place: Place,
  context: TrainingContext,
  taken: Taken | null,
): Promise<ClassifierOrder> {
  const { partType, classifier: options = {} } = request;
  const source = datasetSource(request, taken);
  const deployed = await context.models.deployed(partType, 'classifier').catch(() => null);
  const { backbone: wished } = options;
  const isFile = wished !== undefined && isBackboneFile(wished);
  return {
    kind: 'classifier',
    ...place,
    parent: deployed?.version ?? null,
    source,
    sourceText: datasetText(source),
    parentFolder: deployed?.folder ?? null,
    backbone: isFile ? wished : await backboneFile(wished, context.backbones),
    options,
  };
}

/** The version in production unless something else is wished, and the starter where there is none. */
async function baseOf(
  wished: string | undefined,
  deployed: { readonly name: string; readonly version: string; readonly folder: string } | null,
): Promise<DetectorOrder['base']> {
  if (wished !== undefined && wished !== 'deployed' && wished !== 'starter') {
    return { name: basename(wished), path: wished };
  }
  if (wished === 'starter' || deployed === null) return { name: 'starter', path: STARTER_DETECTOR };
  const { model } = await readManifest(deployed.folder, 'detector');
  return { name: `${deployed.name} ${deployed.version}`, path: join(deployed.folder, model) };
}

/** Pictures that people labelled OK are learnt, but for those held out for the gate. */
function pictureSource({ partType, source }: TrainingRequest, taken: Taken | null): PictureSource {
  switch (source.kind) {
    case 'folder':
      return source;
    case 'simulator':
      return { ...source, seed: source.seed ?? 1 };
    case 'labelled': {
      const good = (taken?.files ?? []).filter(({ label }) => label === 'OK');
      const learnt = good.filter(({ split }) => split === 'train');
      if (learnt.length === 0) throw new NoPicturesToLearn(partType, good.length);
      return { kind: 'files', files: learnt.map(toNamed) };
    }
    case 'dataset':
      throw unfit(source);
  }
}

function toNamed({ id, path, sha256 }: SnapshotFile): NamedFile {
  return { name: id, path, sha256 };
}

function datasetSource({ source }: TrainingRequest, taken: Taken | null): DatasetSource {
  switch (source.kind) {
    case 'dataset':
      return source;
    case 'simulator':
      return { ...source, seed: source.seed ?? 1 };
    case 'labelled': {
      const pictures = (taken?.files ?? []).map(({ id, label, boxes, class: own, path, split, sha256 }) => ({
        ...{ id, label, boxes, path, split, sha256 },
        ...(own !== undefined && { class: own }),
      }));
      return { kind: 'labels', pictures };
    }
    case 'folder':
      throw unfit(source);
  }
}

/** `checkRequest` lets none of these through. */
function unfit({ kind }: TrainingSource): Error {
  return new Error(`a source of kind ${kind} does not fit this training`);
}

/** The pictures that people labelled, with absolute paths. */
export async function labelledFiles(
  store: Pick<Store, 'labels' | 'pictures'>,
  partType: string,
): Promise<readonly LabelledFile[]> {
  const pictures = await store.labels.labelled(partType);
  return pictures.map(({ id, label, boxes, class: own, picturePath }) => ({
    ...{ id, label, boxes, path: store.pictures.absolute(picturePath) },
    ...(own !== undefined && { class: own }),
  }));
}

/** True for the path of a backbone's file; false for the id of one of the catalogue. */
export function isBackboneFile(wished: string): boolean {
  return wished.endsWith('.onnx');
}

/**
 * The file of a backbone of the catalogue; without a catalogue only the embedded one is known, by its id.
 *
 * @throws {BackboneUnknown | BackboneNotPulled}
 */
export async function backboneFile(
  id: string | undefined,
  backbones: TrainingContext['backbones'],
): Promise<string | undefined> {
  return id === undefined || !backbones ? id : backbones.pathOf(id);
}

function pictureText(source: PictureSource): string {
  switch (source.kind) {
    case 'folder':
      return `folder ${source.folder}`;
    case 'files':
      return 'pictures labelled OK';
    case 'simulator':
      return `simulator, ${source.product}, seeds ${source.seed} to ${source.seed + source.count - 1}`;
  }
}
