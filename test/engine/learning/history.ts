import { type Finding, type Inspection, newId, timestamp, type Verdict } from '../../../engine/domain';
import { inspectPicture } from '../../../engine/imaging';
import type { Store } from '../../../engine/store';

export interface PastPart {
  readonly verdict: Verdict;
  readonly score?: number;
  readonly failSafe?: boolean;
  readonly partType?: string;
  readonly serial?: string;
  readonly label?: 'OK' | 'NG';
  readonly capturedAt?: string;
  /** Instead of an anomaly score. */
  readonly finding?: Finding;
}

/** Puts an inspection that is over into a store, as the line leaves it. @returns its id */
export async function settlePart(store: Store, picture: Buffer | null, part: PastPart): Promise<string> {
  const { verdict, score, failSafe = false, partType = 'weave', serial, label } = part;
  const id = newId();
  const capturedAt = part.capturedAt ?? timestamp(Date.now());
  const thresholds = { accept: 1, reject: 2 };
  const image = picture && (await inspectPicture(picture));
  const opened: Inspection = {
    id,
    station: 'line-1',
    partType,
    ...(serial !== undefined && { serial }),
    trigger: { source: 'api' },
    capturedAt,
    deadlineAt: capturedAt,
    ...(image && { image }),
    findings: [],
  };
  const path = picture && image ? await store.pictures.save(id, capturedAt, picture, image.format) : null;
  await store.inspections.insertOpen(opened, path);
  const settled: Inspection = {
    ...opened,
    findings: part.finding
      ? [part.finding]
      : score === undefined
        ? []
        : [
            {
              kind: 'anomaly',
              node: 'infer',
              model: { name: partType, version: '1' },
              score,
              normalizedScore: score / 2,
              thresholds,
              regions: [],
              milliseconds: { total: 1 },
            },
          ],
    decision: {
      verdict,
      confidence: failSafe ? 0 : 0.5,
      reasons: [],
      by: failSafe ? 'failsafe' : 'model',
      at: capturedAt,
    },
  };
  const picturePath = path && (await store.pictures.moveToVerdict(path, verdict));
  await store.inspections.settle(settled, { picturePath, settledAt: capturedAt, delivered: true });
  if (label) {
    await store.reviews.add({
      id,
      partType,
      reasons: [],
      queueReasons: ['sent'],
      information: 0,
      similarTo: null,
      lineVerdict: verdict,
      findings: [],
      note: null,
      createdAt: capturedAt,
    });
    await store.reviews.decide(id, { label, reviewer: 'ada', note: null }, 'ada', capturedAt);
  }
  return id;
}
