import type { OnnxNode } from '../../onnx';

/**
 * Puts the nodes of a backward pass in an order that makes the runtime need little memory. The runtime does not run nodes as
 * they stand. It takes those that nothing reads, the last first, and before each runs what it needs, of several inputs the
 * one that stands last first. So what does not depend on a gradient comes first in the list (to be run just before it is
 * read), then the chain of gradients, then the ends, those of the layers passed first last: each weight's gradient is done
 * as soon as the chain has come by, and what it needed is let go.
 *
 * @param nodes in an order in which each follows those it needs
 * @param seeds the gradients at the outputs
 */
export function inOrderOfLeastMemory(nodes: readonly OnnxNode[], seeds: Iterable<string>): readonly OnnxNode[] {
  const chain = new Set(seeds);
  const read = new Set(nodes.flatMap(({ input }) => input));
  const [first, middle, ends]: OnnxNode[][] = [[], [], []];
  for (const node of nodes) {
    const onChain = node.input.some((name) => chain.has(name));
    if (onChain) for (const name of node.output) chain.add(name);
    if (!node.output.some((name) => read.has(name))) ends.push(node);
    else (onChain ? middle : first).push(node);
  }
  return [...first, ...middle, ...ends.reverse()];
}

/** The order in which the runtime runs nodes that stand in a given order, none of which it fuses. */
export function executionOrder(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const makers = new Map(nodes.flatMap(({ output }, place) => output.map((name) => [name, place] as const)));
  const read = new Set(nodes.flatMap(({ input }) => input));
  const ends = [...nodes.keys()].filter((place) => !nodes[place].output.some((name) => read.has(name)));
  const open = ends.map((place) => ({ place, ready: false }));
  const seen = new Set<number>();
  const order: OnnxNode[] = [];
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const { place, ready } = entry;
    if (ready) order.push(nodes[place]);
    if (ready || seen.has(place)) continue;
    seen.add(place);
    open.push({ place, ready: true });
    const inputs = nodes[place].input.flatMap((name) => makers.get(name) ?? []).sort((a, b) => a - b);
    for (const input of inputs) if (!seen.has(input)) open.push({ place: input, ready: false });
  }
  return order;
}
