import type { DetectHead, HeadLevel } from '../../detector';
import type { OnnxGraph, OnnxModel } from '../../onnx';
import { resized, type Tensor, TrainingSession } from '../trainer';
import type { TrainedLevel } from './options';
import { openTrunk, type Trunk } from './trunk';

/** A detector split into what stays and what is trained. */
export interface LearningPart {
  readonly session: TrainingSession;
  /** Pictures a pass. */
  readonly pictures: number;
  /** Whether `features` takes long and stays the same for the same picture. */
  readonly hasTrunk: boolean;
  /** What `features` gives for one picture. */
  readonly featureBytes: number;
  /** What the trained part begins with: the picture itself, or what the frozen part makes of it. */
  features(picture: Tensor): Promise<Readonly<Record<string, Tensor>>>;
  /** The logits of one of the pictures, level by level. */
  levelsOf(outputs: Readonly<Record<string, Tensor>>, picture: number): HeadLevel[];
  close(): Promise<void>;
}

export interface LearningPartOptions {
  readonly level: TrainedLevel;
  /** Side of the windows in pixels. */
  readonly side: number;
  readonly batch: number;
  readonly threads: number;
}

/** What the operators read that are trained: weights, biases, scales; no other constants. */
const TRAINED = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'BatchNormalization']);

/**
 * Splits a detector. Networks without batch normalisation go through one picture at a time, which needs the least memory and gives
 * the same gradients; with it the whole batch passes at once, since its statistics are those of the batch.
 *
 * @param input name of the picture's value
 * @throws {UntrainableOperator} when a gradient would have to pass an operator that cannot be differentiated
 */
export async function openLearningPart(
  model: OnnxModel,
  head: DetectHead,
  input: string,
  { level, side, batch, threads }: LearningPartOptions,
): Promise<LearningPart> {
  const graph = model.graph as OnnxGraph;
  const pictures = graph.node.some(({ opType }) => opType === 'BatchNormalization') ? batch : 1;
  const fitted = resized(model, { width: side, height: side, batch: pictures });
  const begin = level === 'full' ? null : level === 'neck' ? head.neckInputs : head.headInputs;
  const dims = [pictures, 3, side, side];
  const trunk = begin === null ? null : await openTrunk(fitted, input, begin, threads);
  try {
    const inputs = trunk === null ? { [input]: dims } : await shapesOf(trunk, dims);
    const session = await TrainingSession.open(fitted, {
      inputs,
      outputs: head.levels.flatMap(({ boxes, classes }) => [boxes.output, classes.output]),
      trainable: trainedIn(graph),
      threads,
    });
    return {
      session,
      pictures,
      hasTrunk: trunk !== null,
      featureBytes: Object.values(inputs).reduce((sum, shape) => sum + bytesOf(shape), 0) / pictures,
      features: async (picture) => (trunk === null ? { [input]: picture } : trunk.run(picture)),
      levelsOf: (outputs, picture) => head.levels.map((one) => levelOf(one, outputs, picture)),
      close: async () => {
        await session.close();
        await trunk?.close();
      },
    };
  } catch (error) {
    await trunk?.close();
    throw error;
  }
}

function trainedIn({ node }: OnnxGraph): (name: string) => boolean {
  const names = new Set(node.filter(({ opType }) => TRAINED.has(opType)).flatMap(({ input }) => input.slice(1, 3)));
  return (name) => names.has(name);
}

async function shapesOf(trunk: Trunk, dims: readonly number[]): Promise<Record<string, readonly number[]>> {
  const values = await trunk.run({ data: new Float32Array(bytesOf(dims) / Float32Array.BYTES_PER_ELEMENT), dims });
  return Object.fromEntries(Object.entries(values).map(([name, tensor]) => [name, tensor.dims]));
}

/** Of a tensor of float32. */
function bytesOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, Float32Array.BYTES_PER_ELEMENT);
}

function levelOf(
  { stride, boxes, classes }: DetectHead['levels'][number],
  outputs: Readonly<Record<string, Tensor>>,
  picture: number,
): HeadLevel {
  const [, , rows, columns] = outputs[boxes.output].dims;
  return {
    stride,
    rows,
    columns,
    boxes: pictureOf(outputs[boxes.output], picture),
    classes: pictureOf(outputs[classes.output], picture),
  };
}

/** One picture's share of a batch; not copied. */
function pictureOf({ data, dims }: Tensor, picture: number): Float32Array {
  const size = data.length / dims[0];
  return data.subarray(picture * size, (picture + 1) * size);
}
