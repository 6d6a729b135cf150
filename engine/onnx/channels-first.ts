import { OnnxInvalid } from './errors';
import { feeds, integersOf } from './graph';
import { changed, type OnnxDimension, type OnnxGraph } from './model';

/** From [batch, height, width, channels] to [batch, channels, height, width]. */
const TO_CHANNELS_FIRST = '0,3,1,2';

/**
 * A network that takes pictures as [batch, height, width, 3] and turns them itself, as those from TensorFlow do, taking
 * them as [batch, 3, height, width] instead; any other as it is.
 *
 * @throws {OnnxInvalid} when such a network does more to its input than turn it
 */
export function withChannelsFirst(graph: OnnxGraph): OnnxGraph {
  const [input, ...others] = feeds(graph);
  const type = input?.type?.value;
  if (others.length > 0 || type?.case !== 'tensorType') return graph;
  const dims = type.value.shape?.dim ?? [];
  if (dims.length !== 4 || !isThree(dims[3]) || isThree(dims[1])) return graph;
  const readers = graph.node.filter((node) => node.input.includes(input.name));
  const turned = (node: (typeof readers)[number]) =>
    node.opType === 'Transpose' && integersOf(node, 'perm').join() === TO_CHANNELS_FIRST;
  if (!readers.every(turned)) {
    throw new OnnxInvalid(`its input ${input.name} is [batch, height, width, 3]; save it as [batch, 3, height, width]`);
  }
  const results = new Set(readers.flatMap((node) => node.output));
  const [batch, height, width, channels] = dims;
  const shape = changed(type.value.shape as NonNullable<typeof type.value.shape>, {
    dim: [batch, channels, height, width],
  });
  const tensor = changed(type.value, { shape });
  const first = changed(input, {
    type: changed(input.type as NonNullable<typeof input.type>, { value: { case: 'tensorType', value: tensor } }),
  });
  return changed(graph, {
    input: graph.input.map((value) => (value === input ? first : value)),
    node: graph.node
      .filter((node) => !readers.includes(node))
      .map((node) =>
        node.input.some((name) => results.has(name))
          ? changed(node, { input: node.input.map((name) => (results.has(name) ? input.name : name)) })
          : node,
      ),
  });
}

function isThree({ value }: OnnxDimension): boolean {
  return value.case === 'dimValue' && value.value === 3n;
}
