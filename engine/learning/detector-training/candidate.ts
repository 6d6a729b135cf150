import { type DetectHead, describeDetector, detectHead, inputSize, withClasses } from '../../detector';
import { seededRandom } from '../../domain';
import { type OnnxModel, readModel, writeModel } from '../../onnx';
import { UntrainableOperator, withWeights } from '../trainer';
import { type LearningPart, openLearningPart } from './learning-part';
import type { FinetuneSettings, TrainedLevel } from './options';

/** A detector with the classes it shall have, before it is trained. */
export interface Candidate {
  readonly model: OnnxModel;
  readonly head: DetectHead;
  /** Name of the value that is the picture. */
  readonly input: string;
  /** Sides of the picture when it serves. */
  readonly size: { readonly width: number; readonly height: number };
}

/** @param seed of the rows of new classes */
export function candidateOf(base: Uint8Array, classes: readonly string[], seed: number): Candidate {
  const model = withClasses(readModel(base), classes, seededRandom(seed));
  const description = describeDetector(model);
  return { model, head: detectHead(model), input: description.input.name, size: inputSize(description) };
}

/** The candidate as a file, with trained weights. */
export function fileOf({ model }: Candidate, weights: ReadonlyMap<string, Float32Array>): Uint8Array {
  return writeModel(withWeights(model, weights));
}

/**
 * Opens what is trained of a candidate. Where an operator on the way cannot be trained, the head is, which has none but convolutions.
 *
 * @throws {UntrainableOperator} when not even the head can be
 */
export async function openPart(
  { model, head, input }: Candidate,
  { level, inputSize: side, batch }: FinetuneSettings,
  threads: number,
): Promise<{
  readonly part: LearningPart;
  readonly level: TrainedLevel;
  readonly fellBack: UntrainableOperator | null;
}> {
  try {
    return { part: await openLearningPart(model, head, input, { level, side, batch, threads }), level, fellBack: null };
  } catch (error) {
    if (!(error instanceof UntrainableOperator) || level === 'head') throw error;
    const part = await openLearningPart(model, head, input, { level: 'head', side, batch, threads });
    return { part, level: 'head', fellBack: error };
  }
}
