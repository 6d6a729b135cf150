import type { OnnxNode } from '../../../onnx';
import type { GradientGraph } from '../gradient-graph';

/** What a rule knows of the node it differentiates. */
export interface RuleContext {
  readonly node: OnnxNode;
  /** Where the operators go. Values of the forward pass may be read under their own names. */
  readonly graph: GradientGraph;
  /** The gradient of each output, null for one that nothing depends on. */
  readonly gradients: readonly (string | null)[];
  /** The gradient of the first output. */
  readonly gradient: string;
  /** Which inputs need a gradient. */
  readonly wanted: readonly boolean[];
  /** The numbers of an input that no picture or parameter changes, such as a shape; undefined for others. */
  constant(input: string | undefined): Float64Array | undefined;
}

/**
 * Emits the operators that compute a node's input gradients from its output gradients.
 *
 * @returns the gradient of each input, null where none is wanted
 * @throws {UntrainableOperator} for a form of the operator it does not know
 */
export type Rule = (context: RuleContext) => readonly (string | null)[];

export function numberOf(node: OnnxNode, attribute: string, fallback: number): number {
  return node.attribute.find(({ name }) => name === attribute)?.f ?? fallback;
}

export function textOf(node: OnnxNode, attribute: string, fallback: string): string {
  const found = node.attribute.find(({ name }) => name === attribute);
  return found === undefined ? fallback : new TextDecoder().decode(found.s);
}
