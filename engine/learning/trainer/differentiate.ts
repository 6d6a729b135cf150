import type { OnnxNode } from '../../onnx';
import { tensorValues } from '../../onnx';
import { UntrainableOperator } from './errors';
import { GradientGraph } from './gradient-graph';
import type { Step, TrainingPlan } from './plan';
import { type RuleContext, rules, silu } from './rules';

/** The operators that carry gradients from the outputs back to the weights. */
export interface BackwardPass {
  readonly graph: GradientGraph;
  /** Name of the gradient to be fed for each output that a weight has part in. */
  readonly seeds: ReadonlyMap<string, string>;
  /** The value that is the gradient of each weight; weights without part in an output are missing. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Values that depend on a trained weight. */
  readonly moving: ReadonlySet<string>;
}

/**
 * Reverse-mode differentiation: goes through the nodes from the last to the first, asks each node's rule for the gradients of
 * its inputs, and adds up what reaches a value from its several readers. Nodes below the lowest trained weight are left out.
 *
 * @throws {UntrainableOperator} naming the first node on the way that has no rule
 */
export function differentiate(plan: TrainingPlan, outputs: readonly string[]): BackwardPass {
  const graph = new GradientGraph(plan.opset, plan.shapes, 'gradient ');
  const moving = movingValues(plan);
  const gates = gatesOf(plan.steps);
  const open = new Map<string, string[]>();
  const add = (value: string, gradient: string) => open.set(value, [...(open.get(value) ?? []), gradient]);
  const whole = (value: string): string | null => {
    const parts = open.get(value);
    open.delete(value);
    return parts === undefined ? null : parts.reduce((a, b) => graph.add(a, b));
  };
  const seeds = new Map(outputs.filter((name) => moving.has(name)).map((name) => [name, `seed ${name}`]));
  for (const [output, seed] of seeds) {
    graph.declare(seed, graph.dims(output));
    add(output, seed);
  }
  for (const { node } of [...plan.steps].reverse()) {
    const wanted = node.input.map((name) => moving.has(name));
    const gradients = node.output.map((name) => whole(name));
    const gradient = gradients.find((value) => value !== null);
    if (gradient === undefined || gradient === null || !wanted.some(Boolean)) continue;
    const context: RuleContext = {
      node,
      graph,
      gradients,
      gradient,
      wanted,
      constant: (name) => {
        const tensor = name ? plan.constants.get(name) : undefined;
        return tensor && tensorValues(tensor);
      },
    };
    const rule = gates.has(node) ? silu : rules.get(node.opType);
    if (rule === undefined || (node.domain !== '' && node.domain !== 'ai.onnx')) throw new UntrainableOperator(node);
    const results = rule(context);
    for (const [place, value] of results.entries()) if (value !== null && wanted[place]) add(node.input[place], value);
  }
  const gradients = plan.weights.flatMap(({ name }): [string, string][] => {
    const value = whole(name);
    return value === null ? [] : [[name, value]];
  });
  return { graph, seeds, gradients: new Map(gradients), moving };
}

function movingValues({ steps, weights }: TrainingPlan): Set<string> {
  const moving = new Set(weights.map(({ name }) => name));
  for (const { node, forward } of steps) {
    if (!node.input.some((name) => moving.has(name))) continue;
    for (const name of [node, ...forward].flatMap(({ output }) => output)) if (name !== '') moving.add(name);
  }
  return moving;
}

/** Products of a value and its own sigmoid, the value first. */
function gatesOf(steps: readonly Step[]): Set<OnnxNode> {
  const sigmoids = new Map<string, string>();
  const readers = new Map<string, number>();
  for (const { node } of steps) {
    if (node.opType === 'Sigmoid') sigmoids.set(node.output[0], node.input[0]);
    for (const name of node.input) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const isGate = ({ opType, input }: OnnxNode) =>
    opType === 'Mul' && sigmoids.get(input[1]) === input[0] && readers.get(input[1]) === 1;
  return new Set(steps.map(({ node }) => node).filter(isGate));
}
