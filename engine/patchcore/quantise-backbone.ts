import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRuntime, sessionOptions } from '../inference';
import { probeRanges, quantiseGraph, type ValueRange } from '../onnx';
import { Session } from './session';

/** A view as a backbone takes it: planar RGB 0..1. */
export interface BackboneInput {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

export interface QuantisedBackbone {
  readonly bytes: Uint8Array;
  /** Whether the first layers compute in 8 bits, too. */
  readonly firstLayers: boolean;
}

/**
 * Makes 8-bit backbones of one with 32-bit numbers: with the first layers rounded and without, where that is not the same.
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
  const made = [true, false].map((firstLayers) => ({
    bytes: quantiseGraph(folded, ranges, { firstLayers }),
    firstLayers,
  }));
  return Buffer.compare(made[0].bytes, made[1].bytes) === 0 ? made.slice(1) : made;
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
