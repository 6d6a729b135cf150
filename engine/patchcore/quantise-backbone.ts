import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRuntime, Session, sessionOptions } from '../inference';
import { probeRanges, quantiseGraph, type ValueRange } from '../onnx';

/** A view as a backbone takes it: planar RGB 0..1. */
export interface BackboneInput {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

export interface QuantisedBackbone {
  readonly bytes: Uint8Array;
  /** Where 8-bit numbers begin, in pixels a cell. */
  readonly fromStride: number;
}

/** Most exact first: the later 8-bit numbers begin, the less they lose and, mostly, gain. */
const FROM_STRIDES = [8, 4, 1];

/**
 * Makes 8-bit backbones of one with 32-bit numbers, which differ in where 8-bit numbers begin; the most exact one first.
 *
 * Between which numbers the values lie is seen on views; the least and the greatest of all views are taken (the mean of the
 * views' ends, or the second greatest, was no better on MobileNetV1, ResNet-18 and the embedded backbone).
 *
 * @param bytes a tapped backbone
 * @param views of good pictures, 16 or more
 * @param threads of ONNX Runtime
 * @throws {OnnxInvalid} when it has nothing to quantise
 * @throws the signal's reason when it aborts
 */
export async function quantisedBackbones(
  bytes: Uint8Array,
  views: readonly BackboneInput[],
  threads: number,
  signal?: AbortSignal,
): Promise<readonly QuantisedBackbone[]> {
  const folded = await withFoldedConstants(bytes);
  const ranges = await rangesOf(folded, views, threads, signal);
  const made = FROM_STRIDES.map((fromStride) => ({ bytes: quantiseGraph(folded, ranges, { fromStride }), fromStride }));
  return made.filter(({ bytes: own }, place) => place === 0 || Buffer.compare(own, made[place - 1].bytes) !== 0);
}

/** What ONNX Runtime computes beforehand is computed, batch norms are folded in: standard operators only. */
async function withFoldedConstants(bytes: Uint8Array): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'opti-quality-'));
  try {
    const optimizedModelFilePath = join(folder, 'folded.onnx');
    const options = { ...sessionOptions(1), graphOptimizationLevel: 'basic', optimizedModelFilePath } as const;
    const session = await loadRuntime().InferenceSession.create(bytes, options);
    await session.release();
    return await readFile(optimizedModelFilePath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rangesOf(
  folded: Uint8Array,
  views: readonly BackboneInput[],
  threads: number,
  signal?: AbortSignal,
): Promise<Map<string, ValueRange>> {
  const probe = probeRanges(folded);
  const ranges = new Map<string, ValueRange>();
  const session = await Session.open(probe.bytes, threads);
  try {
    const names = [...probe.values.values()].flatMap(({ least, most }) => [least, most]);
    for (const { data, width, height } of views) {
      signal?.throwIfAborted();
      const ends = await session.run({ [session.inputs[0]]: { data, dims: [1, 3, height, width] } }, names);
      for (const [value, { least, most }] of probe.values) {
        const known = ranges.get(value) ?? { least: 0, most: 0 };
        ranges.set(value, {
          least: Math.min(known.least, ends[least].data[0]),
          most: Math.max(known.most, ends[most].data[0]),
        });
      }
    }
    return ranges;
  } finally {
    await session.close();
  }
}
