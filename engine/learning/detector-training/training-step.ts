import { type DetectHead, detectionLoss } from '../../detector';
import type { Tensor } from '../trainer';
import type { LearningPart } from './learning-part';
import type { Sample } from './samples';

/** Samples that pass together, with what the trained part begins with. */
export interface Chunk {
  readonly samples: readonly Pick<Sample, 'targets' | 'unlabelled'>[];
  readonly features: Readonly<Record<string, Tensor>>;
}

/**
 * Computes the loss of a batch and leaves its gradient in the parameters of the session.
 *
 * @param chunks together the batch
 * @returns mean loss, as the sum over the batch by the sum of its soft targets
 */
export async function accumulate(part: LearningPart, head: DetectHead, chunks: AsyncIterable<Chunk>): Promise<number> {
  let weight = 0;
  let total = 0;
  for await (const { samples, features } of chunks) {
    const outputs = await part.session.forward(features);
    const gradients = Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [name, { data: new Float32Array(data.length), dims }]),
    );
    samples.forEach(({ targets, unlabelled }, picture) => {
      const [{ bins }] = head.levels;
      // normalised at the end, when the weight of the whole batch is known
      const loss = detectionLoss(part.levelsOf(outputs, picture), targets, { bins, unlabelled, normaliser: 1 });
      weight += loss.weight;
      total += loss.total;
      head.levels.forEach(({ boxes, classes }, level) => {
        place(gradients[boxes.output], loss.gradients[level].boxes, picture);
        place(gradients[classes.output], loss.gradients[level].classes, picture);
      });
    });
    await part.session.backward(gradients);
  }
  const normaliser = Math.max(weight, 1);
  for (const { gradient } of part.session.parameters) {
    for (let index = 0; index < gradient.length; index += 1) gradient[index] /= normaliser;
  }
  return total / normaliser;
}

function place({ data }: Tensor, values: Float32Array, picture: number): void {
  data.set(values, picture * values.length);
}
