/**
 * Trains an ONNX model with ONNX Runtime as the compute engine. The weights of the model are made inputs of a graph that
 * ordinary operators compute forward; a second graph, derived from it node by node (`differentiate`), computes the gradient
 * of each trained weight from the gradients at the outputs, which the caller derives from its loss:
 *
 * ```ts
 * const session = await TrainingSession.open(model, { inputs: { images: [4, 3, 320, 320] }, outputs, trainable, threads });
 * const optimiser = new AdamW(session.parameters);
 * const average = new WeightAverage(session.values);
 * for (const [step, { feeds, targets }] of batches.entries()) {
 *   const { gradients } = loss(await session.forward(feeds), targets);
 *   await session.backward(gradients);
 *   optimiser.step(learningRateAt({ step, steps, warmUp, peak, floor }));
 *   average.update();
 * }
 * const trained = withWeights(model, average.weights);
 * ```
 *
 * The forward pass keeps the results of convolutions and products; the backward pass takes them without a copy and computes
 * what lies between (activations, sums, concatenations) again. Shapes are fixed when a session is opened. The same model,
 * feeds and count of threads give the same numbers.
 */
export { AdamW, type AdamWOptions, type OptimiserState } from './adamw';
export { type Checkpoint, readCheckpoint, saveCheckpoint } from './checkpoint';
export { UntrainableOperator } from './errors';
export type { RunningStatistics, TrainingGraphOptions } from './plan';
export { type InputSize, resized } from './resized';
export { type LearningRateOptions, learningRateAt } from './schedule';
export type { NamedValues, Tensor } from './tensor';
export { type ParameterTensor, TrainingSession } from './training-session';
export { WeightAverage, type WeightAverageOptions } from './weight-average';
export { withWeights } from './with-weights';
