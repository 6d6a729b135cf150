import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Dataset, datasetKindOf } from '../datasets';
import { describeDetector, readDetectorFile } from '../detector';
import {
  type ClassifierTrainingOptions,
  type DeploymentPolicy,
  type DetectorTrainingOptions,
  InvalidInput,
  isName,
  isPartType,
  type ModelKind,
  modelNameOf,
  type TrainingOptions,
  type TrainingRequest,
  type TrainingSource,
} from '../domain';
import { MINIMUM_PICTURES, picturesInFolder, TooFewPictures } from '../patchcore';
import { readClassifierTrainingOptions, readDetectorTrainingOptions } from './class-training-options';
import { DatasetUnfit, NoExternalTrainer, NoPicturesToLearn, NothingToUpdate, TooFewLabels } from './errors';
import { boxesToLearn, classToLearn } from './labelled-dataset';
import { splitOf } from './snapshots';
import type { TrainingContext } from './training-context';
import { readTrainingOptions } from './training-options';
import { backboneFile, isBackboneFile, labelledFiles } from './training-order';
import { simulatedProduct } from './training-pictures';

export const SIMULATED_PICTURES_LIMIT = 1000;
export const PRIORITY_LIMIT = 10;
/** Production pictures that a policy may have a candidate compared on. */
export const SHADOW_LIMIT = 1000;
/** Fewer could not be split into pictures to learn and pictures to measure with. */
const MINIMUM_BOXED = 3;
const MINIMUM_CLASSES = 2;

/** The property of a request that tells how a kind is trained. */
const OPTIONS = { patchcore: 'options', detector: 'detector', classifier: 'classifier' } as const;

/**
 * A request with absolute paths and nothing left open.
 *
 * @throws {InvalidInput} naming what is wrong with it
 * @throws {BackboneUnknown | BackboneNotPulled} when the backbone asked for is not here
 * @throws {DatasetUnreadable} @throws {DatasetUnfit} @throws {DetectorUnsupported}
 * @throws {NothingToUpdate} @throws {TooFewPictures} @throws {TooFewLabels} @throws {NoPicturesToLearn}
 * @throws {NoExternalTrainer}
 */
export async function checkRequest(request: TrainingRequest, context: TrainingContext): Promise<TrainingRequest> {
  const { kind = 'patchcore', partType, deploy, backbone } = request;
  checkPartType(partType, kind);
  for (const [other, property] of Object.entries(OPTIONS)) {
    if (other !== kind && request[property] !== undefined) {
      throw new InvalidInput(
        `How a ${kind} model is trained stands in "${OPTIONS[kind]}", not in "${property}". Leave that out.`,
        { property },
      );
    }
  }
  if (backbone !== undefined && kind !== 'patchcore') {
    throw new InvalidInput('Only patchcore models have a backbone of their own. Leave it out.', { kind });
  }
  const { policy, priority } = request;
  checkPriority(priority);
  checkPolicy(policy);
  const base = {
    partType,
    deploy,
    ...(request.kind && { kind }),
    ...(policy && { policy }),
    ...(priority !== undefined && { priority }),
  };
  const source = await checkSource(request.source, partType, kind, context);
  switch (kind) {
    case 'patchcore': {
      const options = await checkOptions(request, context);
      await backboneFile(backbone, context.backbones);
      return { ...base, source, ...(backbone !== undefined && { backbone }), ...(options && { options }) };
    }
    case 'detector':
      return { ...base, source, detector: await checkDetector(request.detector ?? {}, partType, context) };
    case 'classifier':
      return { ...base, source, classifier: await checkClassifier(request.classifier ?? {}, context) };
  }
}

function checkPartType(partType: string, kind: ModelKind): void {
  if (isPartType(partType) && isName(modelNameOf(partType, kind))) return;
  throw new InvalidInput(
    `The part type ${JSON.stringify(partType)} cannot be the name of a model. Use letters, digits, ".", "_" and "-", at most ` +
      `${64 - modelNameOf('', kind).length}, and do not end it with .detector or .classifier.`,
    { partType },
  );
}

/** @throws {InvalidInput} */
export function checkPriority(priority: number | undefined): void {
  if (priority === undefined || (Number.isInteger(priority) && Math.abs(priority) <= PRIORITY_LIMIT)) return;
  throw new InvalidInput(
    `The priority must be a whole number from -${PRIORITY_LIMIT} to ${PRIORITY_LIMIT}, not ${priority}.`,
  );
}

/** @throws {InvalidInput} */
export function checkPolicy(policy: DeploymentPolicy | undefined): void {
  if (policy?.kind !== 'automatic') return;
  const { maxWorse, shadow = 0 } = policy;
  if (!(maxWorse >= 0 && maxWorse <= 1)) {
    throw new InvalidInput(`How much a candidate may be worse must be between 0 and 1, not ${maxWorse}.`);
  }
  if (!(Number.isInteger(shadow) && shadow >= 0 && shadow <= SHADOW_LIMIT)) {
    throw new InvalidInput(
      `The number of production pictures to compare on must be whole and at most ${SHADOW_LIMIT}, not ${shadow}.`,
    );
  }
}

/** The source with absolute paths. */
async function checkSource(
  source: TrainingSource,
  partType: string,
  kind: ModelKind,
  { store }: TrainingContext,
): Promise<TrainingSource> {
  switch (source.kind) {
    case 'folder': {
      if (kind !== 'patchcore') {
        throw new InvalidInput(
          `A ${kind} learns from pictures and what is on them: give a data set, not a folder of good parts.`,
          { kind },
        );
      }
      const folder = resolve(store.dataFolder, source.folder);
      assertEnough((await picturesInFolder(folder)).length);
      return { kind: 'folder', folder };
    }
    case 'dataset': {
      if (kind === 'patchcore') {
        throw new InvalidInput('PatchCore learns from pictures of good parts: give a folder of them, not a data set.');
      }
      const path = await readable(store, source.path, 'data set');
      await assertKind(path, kind === 'detector' ? 'detection' : 'classification');
      return { ...source, path };
    }
    case 'labelled':
      await assertLabels(partType, kind, store);
      return source;
    case 'simulator':
      simulatedProduct(source.product);
      if (!Number.isInteger(source.count) || source.count > SIMULATED_PICTURES_LIMIT) {
        throw new InvalidInput(
          `The number of simulated pictures must be whole and at most ${SIMULATED_PICTURES_LIMIT}.`,
        );
      }
      if (source.seed !== undefined && !Number.isSafeInteger(source.seed)) {
        throw new InvalidInput('The seed of the simulator must be a whole number.');
      }
      assertEnough(source.count);
      return source;
  }
}

async function assertKind(path: string, wished: Dataset['kind']): Promise<void> {
  if ((await datasetKindOf(path)) !== wished) throw new DatasetUnfit(path, wished);
}

async function assertLabels(partType: string, kind: ModelKind, store: TrainingContext['store']): Promise<void> {
  if (kind === 'patchcore') {
    const good = await store.labels.labelledPictures(partType, 'OK');
    assertEnough(good.length);
    if (!good.some(({ id }) => splitOf(id) === 'train')) throw new NoPicturesToLearn(partType, good.length);
    return;
  }
  const labelled = await labelledFiles(store, partType);
  if (kind === 'detector') {
    const boxed = labelled.filter((picture) => (boxesToLearn(picture) ?? []).length > 0).length;
    if (boxed < MINIMUM_BOXED) throw new TooFewLabels(partType, 'boxes', boxed, MINIMUM_BOXED);
  } else {
    const classes = new Set(labelled.map(classToLearn)).size;
    if (classes < MINIMUM_CLASSES) throw new TooFewLabels(partType, 'classes', classes, MINIMUM_CLASSES);
  }
}

/** The options with absolute paths; undefined when there are none. */
async function checkOptions(
  { partType, backbone, options }: TrainingRequest,
  { store, models }: TrainingContext,
): Promise<TrainingOptions | undefined> {
  if (options === undefined) return undefined;
  const { defectFolder, referenceFolder, labelFolder, mask, ...others } = readTrainingOptions(options);
  const absolute = (path: string) => resolve(store.dataFolder, path);
  if (others.update && backbone !== undefined) {
    throw new InvalidInput('An update keeps the backbone of its version: leave the backbone out, or train anew.');
  }
  if (others.update && (await models.deployed(partType)) === null) throw new NothingToUpdate(partType);
  if (defectFolder !== undefined) await picturesInFolder(absolute(defectFolder));
  if (referenceFolder !== undefined) await picturesInFolder(absolute(referenceFolder));
  if (others.method === 'reference' && backbone !== undefined) {
    throw new InvalidInput('A comparison with golden pictures has no backbone: leave it out.');
  }
  return {
    ...others,
    ...(defectFolder !== undefined && { defectFolder: absolute(defectFolder) }),
    ...(referenceFolder !== undefined && { referenceFolder: absolute(referenceFolder) }),
    ...(labelFolder !== undefined && { labelFolder: await readable(store, labelFolder, 'folder of labels') }),
    ...(mask !== undefined && { mask: await readable(store, mask, 'mask') }),
  };
}

async function checkDetector(
  wished: DetectorTrainingOptions,
  partType: string,
  { store, models, externalTrainer }: TrainingContext,
): Promise<DetectorTrainingOptions> {
  const { base, replay, ...others } = readDetectorTrainingOptions(wished);
  if (others.trainer === 'external' && !externalTrainer?.length) throw new NoExternalTrainer();
  if (base === 'deployed' && (await models.deployed(partType, 'detector')) === null) {
    throw new InvalidInput(
      `Part type ${partType} has no detector in production. Leave the base out to begin with the starter detector.`,
      { partType },
    );
  }
  const old = replay === undefined ? undefined : await readable(store, replay, 'data set of old pictures');
  if (old !== undefined) await assertKind(old, 'detection');
  return {
    ...others,
    ...(base !== undefined && { base: await checkBase(base, store) }),
    ...(old !== undefined && { replay: old }),
  };
}

async function checkBase(base: string, store: TrainingContext['store']): Promise<string> {
  if (base === 'deployed' || base === 'starter') return base;
  const path = await readable(store, base, 'detector');
  const { bytes } = await readDetectorFile(path);
  describeDetector(bytes);
  return path;
}

async function checkClassifier(
  wished: ClassifierTrainingOptions,
  { store, backbones }: TrainingContext,
): Promise<ClassifierTrainingOptions> {
  const { backbone, ...others } = readClassifierTrainingOptions(wished);
  if (backbone === undefined) return others;
  if (isBackboneFile(backbone)) {
    return { ...others, backbone: await readable(store, backbone, 'backbone') };
  }
  await backboneFile(backbone, backbones);
  return { ...others, backbone };
}

/** The absolute path of something that can be read. */
async function readable({ dataFolder }: TrainingContext['store'], path: string, what: string): Promise<string> {
  const absolute = resolve(dataFolder, path);
  await access(absolute, constants.R_OK).catch(() => {
    throw new InvalidInput(`The ${what} ${path} cannot be read. Check the path.`, { path });
  });
  return absolute;
}

function assertEnough(count: number): void {
  if (count < MINIMUM_PICTURES) throw new TooFewPictures(count, 0, MINIMUM_PICTURES);
}
