import type { ClassificationResult } from '../classifier';
import { type DetectionResult, STARTER_DETECTOR } from '../detector';
import type { AnomalyFinding, ClassFinding, DetectionsFinding, DetectorSettings, Inspection } from '../domain';
import type { ComputePool, RunOptions } from '../inference';
import type { ModelRegistry } from '../learning';
import type { AnomalyResult } from '../patchcore';
import { type Store, storeError } from '../store';
import type { EmbeddingMemory } from './embeddings';
import { NoModel } from './errors';
import type { InspectionLedger } from './ledger';
import type { ClassifierWishes, DetectorWishes } from './types';

/** What the analyses need of a station. */
export interface AnalysisMeans {
  readonly store: Pick<Store, 'dataFolder' | 'pictures'>;
  readonly pool: Pick<ComputePool, 'run'>;
  readonly models: Pick<ModelRegistry, 'deployed'>;
  readonly inspections: Pick<InspectionLedger, 'nextMap'>;
  readonly embeddings: Pick<EmbeddingMemory, 'keep'>;
  /** Told when a heat map cannot be saved. */
  readonly onMapLost: (error: unknown) => void;
}

/** A picture to be looked at. */
export interface Looked {
  readonly picture: Buffer;
  readonly inspection: Inspection;
  /** Id of the node that asks. */
  readonly node: string;
}

/** See `Station.scoreAnomaly`. */
export async function scoreAnomaly(
  means: AnalysisMeans,
  { picture, inspection, node }: Looked,
  reference?: Buffer,
): Promise<AnomalyFinding> {
  const { store, pool, models, embeddings, onMapLost } = means;
  const model = await models.deployed(inspection.partType);
  if (!model) throw new NoModel(inspection.partType);
  const request = { folder: model.folder, picture, map: true, ...(reference && { reference }) };
  const result = await pool.run<AnomalyResult>('patchcore/score', request, limitsOf(inspection));
  const { embedding, normalizedScore } = result;
  if (embedding) {
    const { id, partType } = inspection;
    embeddings.keep(id, { ...embedding, partType, model: result.model, normalizedScore });
  }
  const map = await keepMap(means, inspection.id, result).catch((error) => {
    onMapLost(storeError(error, store.dataFolder));
    return undefined;
  });
  return toFinding(result, node, map);
}

/** See `Station.detect`. */
export async function detect(
  { pool, models }: AnalysisMeans,
  { picture, inspection, node }: Looked,
  wishes: DetectorWishes = {},
): Promise<DetectionsFinding> {
  const { model: file, partType = inspection.partType, review = [], ignored = [], ...options } = wishes;
  const deployed = file === undefined ? await models.deployed(partType, 'detector') : null;
  const source = deployed ? { folder: deployed.folder } : { file: file ?? STARTER_DETECTOR };
  const request = { ...source, picture, options: { ...options, unknownClasses: 'leave-out' } };
  const result = await pool.run<DetectionResult>('detector/detect', request, limitsOf(inspection));
  const { detections, thresholds, model, milliseconds } = result;
  return {
    kind: 'detections',
    node,
    model,
    detections: detections.filter(({ label }) => !ignored.includes(label)),
    thresholds,
    ...(review.length > 0 && { review }),
    settings: settingsOf(wishes),
    milliseconds,
  };
}

/** What of the wishes decides what is found. */
function settingsOf({ confidence, perClass, iou, roi, tiles, ignored = [] }: DetectorWishes): DetectorSettings {
  return {
    ...(confidence !== undefined && { confidence }),
    ...(perClass && { perClass }),
    ...(iou !== undefined && { iou }),
    ...(roi && { roi }),
    ...(tiles && { tiles }),
    ...(ignored.length > 0 && { ignored }),
  };
}

/** See `Station.classify`. */
export async function classify(
  { pool, models }: AnalysisMeans,
  { picture, inspection, node }: Looked,
  { partType = inspection.partType, verdicts = {} }: ClassifierWishes = {},
): Promise<ClassFinding> {
  const deployed = await models.deployed(partType, 'classifier');
  if (!deployed) throw new NoModel(partType, 'classifier');
  const request = { folder: deployed.folder, picture };
  const result = await pool.run<ClassificationResult>('classifier/classify', request, limitsOf(inspection));
  const { label, confidence, probabilities, model, milliseconds } = result;
  const verdict = Object.hasOwn(verdicts, label) ? verdicts[label] : result.verdict;
  return { kind: 'class', node, model, label, confidence, verdict, probabilities, verdicts, milliseconds };
}

function limitsOf({ deadlineAt }: Inspection): RunOptions {
  return { deadline: Date.parse(deadlineAt), priority: 'verdict' };
}

async function keepMap(
  { store, inspections }: AnalysisMeans,
  id: string,
  { map }: AnomalyResult,
): Promise<AnomalyFinding['map']> {
  const index = inspections.nextMap(id);
  if (!map || index === null) return undefined;
  await store.pictures.saveMap(id, map.png, index);
  const query = index === 0 ? '' : `?index=${index}`;
  return { url: `/inspection/api/inspections/${id}/map${query}`, width: map.width, height: map.height };
}

function toFinding(result: AnomalyResult, node: string, map: AnomalyFinding['map']): AnomalyFinding {
  const { score, normalizedScore, probability, thresholds, regions, milliseconds, model } = result;
  return {
    kind: 'anomaly',
    node,
    model,
    score,
    normalizedScore,
    ...(probability !== undefined && { probability }),
    thresholds,
    regions,
    ...(map && { map }),
    milliseconds,
  };
}
