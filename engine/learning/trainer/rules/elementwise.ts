import { numberOf, type Rule, type RuleContext } from './rule';

type Factor = (context: RuleContext) => string;

/** A rule for an operator that works on each number alone: its derivative multiplies the gradient. */
function derivative(factor: Factor): Rule {
  return (context) => [context.graph.multiply(context.gradient, factor(context))];
}

const x = ({ node }: RuleContext) => node.input[0];
const y = ({ node }: RuleContext) => node.output[0];

/** Where a value lies strictly between two bounds 1, else 0. */
function within(context: RuleContext, low: number, high: number): string {
  const { graph } = context;
  const masks = [
    ...(low === Number.NEGATIVE_INFINITY ? [] : [graph.mask('Greater', x(context), graph.scalar(low))]),
    ...(high === Number.POSITIVE_INFINITY ? [] : [graph.mask('Less', x(context), graph.scalar(high))]),
  ];
  return masks.length === 0 ? graph.scalar(1) : masks.reduce((a, b) => graph.multiply(a, b));
}

const sigmoid: Factor = (context) => {
  const { graph } = context;
  return graph.multiply(y(context), graph.subtract(graph.scalar(1), y(context)));
};

const leaky: Factor = (context) => {
  const { graph, node } = context;
  const alpha = numberOf(node, 'alpha', 0.01);
  const positive = graph.mask('Greater', x(context), graph.scalar(0));
  return graph.add(graph.multiply(positive, graph.scalar(1 - alpha)), graph.scalar(alpha));
};

const clip: Factor = (context) => {
  const bound = (place: number, open: number) => {
    const name = context.node.input[place];
    return name ? (context.constant(name)?.[0] ?? open) : open;
  };
  return within(context, bound(1, Number.NEGATIVE_INFINITY), bound(2, Number.POSITIVE_INFINITY));
};

const hardSigmoid: Factor = (context) => {
  const alpha = numberOf(context.node, 'alpha', 0.2);
  const beta = numberOf(context.node, 'beta', 0.5);
  return context.graph.multiply(within(context, -beta / alpha, (1 - beta) / alpha), context.graph.scalar(alpha));
};

/** x * clip(x / 6 + 1/2, 0, 1): 0, x / 3 + 1/2 and 1. */
const hardSwish: Factor = (context) => {
  const { graph } = context;
  const slope = graph.add(graph.multiply(x(context), graph.scalar(1 / 3)), graph.scalar(0.5));
  const inner = graph.multiply(slope, within(context, -3, 3));
  return graph.add(inner, graph.mask('Greater', x(context), graph.scalar(3)));
};

const power: Factor = (context) => {
  const { graph, node } = context;
  const exponent = context.constant(node.input[1])?.[0] ?? Number.NaN;
  const raised = graph.node('Pow', [x(context), graph.scalar(exponent - 1)], graph.dims(x(context)));
  return graph.multiply(raised, graph.scalar(exponent));
};

const add: Rule = ({ node, graph, gradient, wanted }) =>
  node.input.map((name, place) => (wanted[place] ? graph.sumTo(gradient, graph.dims(name)) : null));

const subtract: Rule = ({ node, graph, gradient, wanted }) => [
  wanted[0] ? graph.sumTo(gradient, graph.dims(node.input[0])) : null,
  wanted[1] ? graph.sumTo(graph.each('Neg', gradient), graph.dims(node.input[1])) : null,
];

const multiply: Rule = ({ node, graph, gradient, wanted }) => {
  const [a, b] = node.input;
  return [
    wanted[0] ? graph.sumTo(graph.multiply(gradient, b), graph.dims(a)) : null,
    wanted[1] ? graph.sumTo(graph.multiply(gradient, a), graph.dims(b)) : null,
  ];
};

const divide: Rule = ({ node, graph, gradient, wanted }) => {
  const [a, b] = node.input;
  const shared = graph.divide(gradient, b);
  const second = () => graph.each('Neg', graph.multiply(shared, node.output[0]));
  return [
    wanted[0] ? graph.sumTo(shared, graph.dims(a)) : null,
    wanted[1] ? graph.sumTo(second(), graph.dims(b)) : null,
  ];
};

/** `x * sigmoid(x)`, written as two nodes: with s and y the derivative is s + y - s * y. */
export const silu: Rule = ({ node, graph, gradient }) => {
  const [input, gate] = node.input;
  const [output] = node.output;
  const slope = graph.add(gate, graph.subtract(output, graph.multiply(gate, output)));
  const result = graph.multiply(gradient, slope);
  return input === gate ? [result] : [result, null];
};

export const elementwiseRules: Readonly<Record<string, Rule>> = {
  Identity: ({ gradient }) => [gradient],
  Dropout: ({ gradient }) => [gradient],
  Add: add,
  Sum: add,
  Sub: subtract,
  Mul: multiply,
  Div: divide,
  Neg: ({ graph, gradient }) => [graph.each('Neg', gradient)],
  Sigmoid: derivative(sigmoid),
  Relu: derivative((context) => context.graph.each('Sign', y(context))),
  LeakyRelu: derivative(leaky),
  Clip: derivative(clip),
  HardSigmoid: derivative(hardSigmoid),
  HardSwish: derivative(hardSwish),
  Tanh: derivative((context) => {
    const { graph } = context;
    return graph.subtract(graph.scalar(1), graph.multiply(y(context), y(context)));
  }),
  Exp: derivative(y),
  Log: ({ node, graph, gradient }) => [graph.divide(gradient, node.input[0])],
  Sqrt: ({ node, graph, gradient }) => [graph.divide(graph.multiply(gradient, graph.scalar(0.5)), node.output[0])],
  Abs: derivative((context) => context.graph.each('Sign', x(context))),
  Erf: derivative((context) => {
    const { graph } = context;
    const bell = graph.each('Exp', graph.each('Neg', graph.multiply(x(context), x(context))));
    return graph.multiply(bell, graph.scalar(2 / Math.sqrt(Math.PI)));
  }),
  Softplus: derivative((context) => context.graph.each('Sigmoid', x(context))),
  Pow: derivative(power),
};
