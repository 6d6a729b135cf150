import { UntrainableOperator } from '../errors';
import { numberOf, type Rule, type RuleContext } from './rule';

/**
 * Batch normalisation with the statistics of the batch itself. With n = (x - mean) / deviation, and each mean taken over all
 * cells of a channel: x' = scale / deviation * (y' - mean(y') - n mean(y' n)).
 *
 * @see Ioffe & Szegedy 2015, "Batch Normalization", section 3
 */
const batchNormalization: Rule = (context) => {
  const { node, graph, gradient, wanted } = context;
  const [input, scale] = node.input;
  const [, mean, deviation] = node.output;
  if (!mean || !deviation) return [graph.multiply(gradient, fixedFactor(context))];
  const dims = graph.dims(input);
  const axes = dims.map((_, axis) => axis).filter((axis) => axis !== 1);
  const cells = dims.reduce((product, dim, axis) => (axis === 1 ? product : product * dim), 1);
  const [channels] = graph.dims(scale);
  const normalised = graph.divide(graph.subtract(input, mean), deviation);
  const sum = graph.sum(gradient, axes);
  const weighted = graph.sum(graph.multiply(gradient, normalised), axes);
  const first = () => {
    const part = graph.scalar(1 / cells);
    const centred = graph.subtract(gradient, graph.multiply(sum, part));
    const rest = graph.subtract(centred, graph.multiply(normalised, graph.multiply(weighted, part)));
    const factor = graph.divide(graph.reshape(scale, graph.dims(deviation)), deviation);
    return graph.multiply(rest, factor);
  };
  return [
    wanted[0] ? first() : null,
    wanted[1] ? graph.reshape(weighted, [channels]) : null,
    wanted[2] ? graph.reshape(sum, [channels]) : null,
  ];
};

/** With given statistics it is a factor and an addend for each channel. */
function fixedFactor(context: RuleContext): string {
  const { node, graph } = context;
  const scale = context.constant(node.input[1]);
  const variance = context.constant(node.input[4]);
  if (!scale || !variance) throw new UntrainableOperator(node, 'its statistics depend on the picture');
  const epsilon = numberOf(node, 'epsilon', DEFAULT_EPSILON);
  const factors = Float32Array.from(scale, (value, channel) => value / Math.sqrt(variance[channel] + epsilon));
  return graph.floats(
    graph.dims(node.input[0]).map((_, axis) => (axis === 1 ? scale.length : 1)),
    factors,
  );
}

export const DEFAULT_EPSILON = 1e-5;
export const normalisationRules: Readonly<Record<string, Rule>> = { BatchNormalization: batchNormalization };
