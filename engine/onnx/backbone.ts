import { type Activation, activationOf, lastActivations, valueChannels, valueStrides } from './activations';
import { makeNode, valueInfo } from './builder';
import { withChannelsFirst } from './channels-first';
import { checkGraph } from './check';
import { readModel, writeModel } from './codec';
import { OnnxInvalid } from './errors';
import { fixedSizeReason, withFreeBatch } from './free-size';
import { feeds, prune, withOutputs } from './graph';
import { changed, type OnnxGraph, type OnnxModel } from './model';
import { DataType, floatTensor } from './tensor';

/** After the activation, or before it (its input). */
export type Moment = 'after' | 'before';

/** A place where features are taken. */
export interface Tap {
  /** Input pixels a cell spans. */
  readonly stride: number;
  /** Null when the weights do not tell. */
  readonly channels: number | null;
  /** Name of the activation's result. */
  readonly after: string;
  /** Name of the value the activation was applied to; null where none is found. */
  readonly before: string | null;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

export interface InspectedBackbone {
  /** Name of the picture input, [batch, 3, height, width]. */
  readonly input: string;
  /** The size the file was saved with; null when it leaves it open. */
  readonly nominal: PictureSize | null;
  readonly taps: readonly Tap[];
}

/** What a network wants its input to be shifted and scaled by, each channel in 0..1: `(x - mean) / deviation`. */
export interface Normalisation {
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

export interface TappedBackbone {
  readonly bytes: Uint8Array;
  readonly input: string;
  /** Stride by stride, and for each the moments in the order asked for: `stride8`, `stride8_before`, `stride16`, ... */
  readonly outputs: readonly string[];
  /** The only size it runs with, when something in it cannot follow another one; `reason` says what. */
  readonly fixed: (PictureSize & { readonly reason: string }) | null;
  /** False when the model had these outputs already and `bytes` is the file as it was given. */
  readonly edited: boolean;
}

/**
 * Looks at a convolutional classifier or feature extractor: where features can be taken.
 *
 * @param bytes an ONNX file with its weights inside
 * @param strides those wanted; all there are when left out
 * @throws {OnnxInvalid} when it is no ONNX model, is damaged, keeps its weights in other files, has not exactly one
 *   picture input, or has no activation at a stride
 */
export function inspectBackbone(bytes: Uint8Array, strides?: readonly number[]): InspectedBackbone {
  const { input, nominal, taps } = inspectGraph(graphOf(readModel(bytes)), strides);
  return { input, nominal, taps };
}

/**
 * Makes a feature extractor of a convolutional network: gives out the last activation at each stride, or the value before
 * it, drops everything behind, lets batch and picture size vary where the graph allows, and takes pictures as RGB 0..1
 * when the network's own normalisation is given. A model that has outputs called `stride<n>` is tapped there.
 *
 * Normalisation goes into nodes of its own: folded into the first convolution it would change the picture's border,
 * because padding is zero after normalisation.
 *
 * @param bytes an ONNX file with its weights inside
 * @param strides input pixels a cell spans, e.g. 8 and 16
 * @throws {OnnxInvalid} as `inspectBackbone`, and when the value before an activation is wanted but not found
 */
export function tapBackbone(
  bytes: Uint8Array,
  strides: readonly number[] = [8, 16],
  moments: readonly Moment[] = ['after'],
  normalisation?: Normalisation,
): TappedBackbone {
  const model = readModel(bytes);
  const graph = graphOf(model);
  const { input, nominal, taps } = inspectGraph(graph, strides);
  const chosen = Object.fromEntries(
    taps.flatMap((tap) => moments.map((moment) => [outputName(tap.stride, moment), valueAt(tap, moment)])),
  );
  const outputs = Object.keys(chosen);
  const asItIs =
    graph === model.graph &&
    !normalisation &&
    isFree(graph, input) &&
    graph.output.every(({ name }) => chosen[name] === name) &&
    graph.output.length === outputs.length;
  if (asItIs) return { bytes, input, outputs, fixed: null, edited: false };

  refuseTakenNames(graph, chosen);
  const tapped = withOutputs(graph, chosen);
  refuseControlFlow(tapped);
  const side = nominal ? Math.max(nominal.width, nominal.height) : Number.POSITIVE_INFINITY;
  const reason = fixedSizeReason(tapped, valueStrides(tapped, input, side), side);
  if (reason !== null && nominal === null) throw new OnnxInvalid(`its picture size is open, but ${reason}`);
  const fixed = reason !== null && nominal !== null ? { ...nominal, reason } : null;
  const sized = withFreeBatch(withInputSize(tapped, input, fixed), input);
  const edited: OnnxModel = changed(model, {
    graph: prune(normalisation ? withNormalisation(sized, input, normalisation) : sized),
    trainingInfo: [],
  });
  return { bytes: writeModel(edited), input, outputs, fixed, edited: true };
}

function graphOf(model: OnnxModel): OnnxGraph {
  const graph = model.graph as OnnxGraph;
  checkGraph(graph);
  return withChannelsFirst(graph);
}

function inspectGraph(graph: OnnxGraph, wanted?: readonly number[]): InspectedBackbone {
  const { input, nominal } = pictureInput(graph);
  const side = nominal ? Math.max(nominal.width, nominal.height) : undefined;
  const strides = valueStrides(graph, input, side);
  const channels = valueChannels(graph, strides);
  const found = lastActivations(graph, strides);
  const named = (stride: number, moment: Moment) =>
    graph.output.find(({ name }) => name === outputName(stride, moment))?.name;
  const all = [...found.keys()].sort((a, b) => a - b);
  const taps = (wanted ?? all).map((stride): Tap => {
    const output = named(stride, 'after');
    const activation: Activation | undefined = found.get(stride);
    if (output !== undefined) {
      const before = named(stride, 'before') ?? activationOf(graph, output, strides)?.before ?? null;
      return { stride, channels: channels.get(output) ?? statedChannels(graph, output), after: output, before };
    }
    if (activation === undefined) {
      throw new OnnxInvalid(`it has no activation at stride ${stride} (strides with one: ${all.join(', ') || 'none'})`);
    }
    return { stride, channels: channels.get(activation.after) ?? null, ...activation };
  });
  return { input, nominal, taps };
}

/** As the file itself notes it at an output. */
function statedChannels(graph: OnnxGraph, output: string): number | null {
  const type = graph.output.find(({ name }) => name === output)?.type?.value;
  const dim = type?.case === 'tensorType' ? type.value.shape?.dim[1]?.value : undefined;
  return dim?.case === 'dimValue' && dim.value > 0n ? Number(dim.value) : null;
}

function outputName(stride: number, moment: Moment): string {
  return moment === 'after' ? `stride${stride}` : `stride${stride}_before`;
}

function valueAt(tap: Tap, moment: Moment): string {
  const value = tap[moment];
  if (value === null) throw new OnnxInvalid(`its output stride${tap.stride} comes from no activation known here`);
  return value;
}

function pictureInput(graph: OnnxGraph): { input: string; nominal: PictureSize | null } {
  const inputs = feeds(graph);
  const [input] = inputs;
  if (inputs.length !== 1 || input.name === '') {
    throw new OnnxInvalid(`it has ${inputs.length} inputs, a backbone has one`);
  }
  const type = input.type?.value;
  const dims = type?.case === 'tensorType' ? type.value.shape?.dim : undefined;
  if (type?.case !== 'tensorType' || type.value.elemType !== DataType.float || (dims && dims.length !== 4)) {
    throw new OnnxInvalid(`its input ${input.name} is no float32 picture [batch, 3, height, width]`);
  }
  const [, channels, height, width] = (dims ?? []).map(({ value }) =>
    value.case === 'dimValue' && value.value > 0n ? Number(value.value) : null,
  );
  if (typeof channels === 'number' && channels !== 3)
    throw new OnnxInvalid(`its input has ${channels} channels, not 3`);
  return { input: input.name, nominal: height && width ? { width, height } : null };
}

function isFree(graph: OnnxGraph, input: string): boolean {
  const type = graph.input.find(({ name }) => name === input)?.type?.value;
  const dims = type?.case === 'tensorType' ? (type.value.shape?.dim ?? []) : [];
  return [0, 2, 3].every((axis) => dims[axis] === undefined || dims[axis].value.case !== 'dimValue');
}

function refuseTakenNames(graph: OnnxGraph, chosen: Readonly<Record<string, string>>): void {
  const taken = new Set(graph.node.flatMap((node) => node.output).concat(graph.initializer.map(({ name }) => name)));
  for (const [name, value] of Object.entries(chosen)) {
    if (name !== value && taken.has(name)) throw new OnnxInvalid(`it calls another value ${name}; rename that`);
  }
}

function refuseControlFlow(graph: OnnxGraph): void {
  const node = graph.node.find(({ attribute }) => attribute.some(({ g, graphs }) => g || graphs.length > 0));
  if (node) throw new OnnxInvalid(`it has control flow (${node.opType} ${node.name}) in front of the features`);
}

/** Shape notes of inner values are dropped: they may hold the old size and batch. */
function withInputSize(graph: OnnxGraph, name: string, size: PictureSize | null): OnnxGraph {
  const dims = ['batch', 3, size?.height ?? 'height', size?.width ?? 'width'];
  return changed(graph, {
    input: graph.input.map((value) => (value.name === name ? valueInfo(name, dims) : value)),
    valueInfo: [],
  });
}

function withNormalisation(graph: OnnxGraph, input: string, { mean, deviation }: Normalisation): OnnxGraph {
  const names = {
    mean: `${input}_mean`,
    deviation: `${input}_deviation`,
    centred: `${input}_centred`,
    scaled: `${input}_normalised`,
  };
  const taken = new Set([...graph.node.flatMap((node) => node.output), ...graph.initializer.map(({ name }) => name)]);
  const clash = Object.values(names).find((name) => taken.has(name));
  if (clash) throw new OnnxInvalid(`it calls another value ${clash}; rename that`);
  const constant = (name: string, values: readonly number[]) =>
    floatTensor(name, [1, 3, 1, 1], Float32Array.from(values));
  const node = graph.node.map((reader) =>
    reader.input.includes(input)
      ? changed(reader, { input: reader.input.map((name) => (name === input ? names.scaled : name)) })
      : reader,
  );
  return changed(graph, {
    node: [
      makeNode('Sub', [input, names.mean], [names.centred]),
      makeNode('Div', [names.centred, names.deviation], [names.scaled]),
      ...node,
    ],
    initializer: [...graph.initializer, constant(names.mean, mean), constant(names.deviation, deviation)],
  });
}
