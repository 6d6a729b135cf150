import { integerOf } from '../../../onnx';
import { UntrainableOperator } from '../errors';
import { positive } from './layout';
import { numberOf, type Rule } from './rule';

/** y = a b: a' = y' bT, b' = aT y'; summed over what was repeated. */
const product: Rule = ({ node, graph, gradient, wanted }) => {
  const [a, b] = node.input;
  const [left, right] = [graph.dims(a), graph.dims(b)];
  if (left.length < 2 || right.length < 2) throw new UntrainableOperator(node, 'one of its inputs is a vector');
  const first = () => graph.sumTo(graph.product(gradient, b, { turnB: true }), left);
  const second = () => {
    if (right.length > 2) return graph.sumTo(graph.product(a, gradient, { turnA: true }), right);
    const rows = left.slice(0, -1).reduce((size, dim) => size * dim, 1);
    const flat = graph.reshape(a, [rows, right[0]]);
    return graph.product(flat, graph.reshape(gradient, [rows, right[1]]), { turnA: true });
  };
  return [wanted[0] ? first() : null, wanted[1] ? second() : null];
};

/** y = alpha a b + beta c, where a and b may be turned. */
const gemm: Rule = ({ node, graph, gradient, wanted }) => {
  const [a, b, c] = node.input;
  const alpha = numberOf(node, 'alpha', 1);
  const beta = numberOf(node, 'beta', 1);
  const turnedA = integerOf(node, 'transA', 0) !== 0;
  const turnedB = integerOf(node, 'transB', 0) !== 0;
  const scaled = (value: string, factor: number) =>
    factor === 1 ? value : graph.multiply(value, graph.scalar(factor));
  const first = () =>
    turnedA
      ? graph.product(b, gradient, { turnA: turnedB, turnB: true })
      : graph.product(gradient, b, { turnB: !turnedB });
  const second = () =>
    turnedB
      ? graph.product(gradient, a, { turnA: true, turnB: turnedA })
      : graph.product(a, gradient, { turnA: !turnedA });
  return [
    wanted[0] ? scaled(first(), alpha) : null,
    wanted[1] ? scaled(second(), alpha) : null,
    wanted[2] ? scaled(graph.sumTo(gradient, graph.dims(c)), beta) : null,
  ];
};

/** x' = y (y' - sum(y' y)). */
const softmax: Rule = ({ node, graph, gradient }) => {
  const [output] = node.output;
  const dims = graph.dims(output);
  const axis = positive(integerOf(node, 'axis', graph.opset < 13 ? 1 : -1), dims.length);
  // Up to opset 12 all axes from `axis` on count as one.
  const axes = graph.opset < 13 ? dims.map((_, place) => place).slice(axis) : [axis];
  const weighted = graph.sum(graph.multiply(gradient, output), axes);
  return [graph.multiply(output, graph.subtract(gradient, weighted))];
};

export const matrixRules: Readonly<Record<string, Rule>> = { MatMul: product, Gemm: gemm, Softmax: softmax };
