import { readModel, writeModel } from './codec';
import { OnnxInvalid } from './errors';
import { feeds, lastActivations, withOutputs } from './graph';
import type { OnnxGraph, OnnxModel, OnnxValueInfo } from './model';
import { DataType } from './tensor';

/** Larger files are refused before they are parsed: protobuf itself ends at 2 GiB. */
const MAXIMUM_BYTES = 1 << 30;

export interface PreparedBackbone {
  readonly bytes: Uint8Array;
  /** Name of the picture input, [batch, 3, height, width]. */
  readonly input: string;
  /** Output names, in the order of the strides asked for: `stride8`, `stride16`. */
  readonly outputs: readonly string[];
  /** False when the model had these outputs already and is unchanged. */
  readonly edited: boolean;
}

/**
 * Makes a feature extractor of a convolutional classifier: gives out the last activation at each stride as `stride<n>`,
 * drops everything behind the last of them, and lets batch and picture size vary. A model that has such outputs already is
 * taken as it is.
 *
 * @param bytes an ONNX file with its weights inside
 * @throws {OnnxInvalid} when it is no ONNX model, keeps its weights in other files, has not exactly one picture input, or
 *   has no activation at a stride
 */
export function prepareBackbone(bytes: Uint8Array, strides: readonly number[] = [8, 16]): PreparedBackbone {
  if (bytes.length > MAXIMUM_BYTES)
    throw new OnnxInvalid(`it has ${bytes.length} bytes, at most ${MAXIMUM_BYTES} are read`);
  const model = readModel(bytes);
  const graph = model.graph as OnnxGraph;
  const external = graph.initializer.find((tensor) => tensor.dataLocation === 1 || tensor.externalData.length > 0);
  if (external) throw new OnnxInvalid(`its weights lie in other files (${external.name}); save it as one file`);
  const input = pictureInput(graph);
  const outputs = strides.map((stride) => `stride${stride}`);
  if (outputs.every((name) => graph.output.some((output) => output.name === name))) {
    return { bytes, input, outputs, edited: false };
  }
  const taps = lastActivations(graph, input);
  const chosen: Record<string, string> = {};
  for (const stride of strides) {
    const value = taps.get(stride);
    if (value === undefined) {
      const found = [...taps.keys()].sort((a, b) => a - b).join(', ') || 'none';
      throw new OnnxInvalid(`it has no activation at stride ${stride} (strides with one: ${found})`);
    }
    chosen[`stride${stride}`] = value;
  }
  const edited: OnnxModel = { ...model, graph: withFreeSize(withOutputs(graph, chosen), input) };
  return { bytes: writeModel(edited), input, outputs, edited: true };
}

function pictureInput(graph: OnnxGraph): string {
  const inputs = feeds(graph);
  const [input] = inputs;
  if (inputs.length !== 1 || input.name === undefined) {
    throw new OnnxInvalid(`it has ${inputs.length} inputs, a backbone has one`);
  }
  const tensor = input.type?.tensorType;
  const dims = tensor?.shape?.dim;
  if (tensor?.elemType !== DataType.float || (dims && dims.length !== 4)) {
    throw new OnnxInvalid(`its input ${input.name} is no float32 picture [batch, 3, height, width]`);
  }
  const channels = dims?.[1]?.dimValue;
  if (channels !== undefined && channels !== 3) throw new OnnxInvalid(`its input has ${channels} channels, not 3`);
  return input.name;
}

/** Shape notes of inner values are dropped: they may hold the old fixed size. */
function withFreeSize(graph: OnnxGraph, name: string): OnnxGraph {
  const dim = [{ dimParam: 'batch' }, { dimValue: 3 }, { dimParam: 'height' }, { dimParam: 'width' }];
  const input = graph.input.map(
    (value): OnnxValueInfo =>
      value.name === name ? { ...value, type: { tensorType: { elemType: DataType.float, shape: { dim } } } } : value,
  );
  return { ...graph, input, valueInfo: [] };
}
