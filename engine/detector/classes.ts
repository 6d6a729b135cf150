import type { Random } from '../domain';
import { changed, floatTensor, type OnnxGraph, type OnnxModel, tensorValues } from '../onnx';
import { DetectorUnsupported } from './errors';
import { type DetectHeadLevel, detectHead, weightOf } from './head';
import { describeDetector } from './layout';
import { withTail } from './tail';

/** What a fresh class answers everywhere: rare things begin as improbable, or their loss drowns all other. */
const PRIOR = 0.01;
const DEVIATION = 0.01;

/**
 * Gives a detector other classes: the tail is built anew with the output layout `rows`, the class convolutions get a row a
 * class. Rows of classes that stay are kept by name, new ones begin near zero with the bias of a probability of 0.01. With
 * the same classes the boxes stay the same. Masks of a segmentation model are dropped.
 *
 * @param classes names, each once, at least one
 * @throws {DetectorUnsupported} as `detectHead`
 * @see Lin et al. 2017, "Focal Loss for Dense Object Detection", section 4.1 (initialisation)
 */
export function withClasses(model: OnnxModel, classes: readonly string[], random: Random): OnnxModel {
  if (classes.length === 0 || new Set(classes).size < classes.length) {
    throw new RangeError(`the classes ${JSON.stringify(classes)} are not different ones, at least one`);
  }
  const { levels } = detectHead(model);
  const { classes: known } = describeDetector(model);
  if (known.length !== levels[0].classes.channels) {
    throw new DetectorUnsupported(
      `its metadata name ${known.length} classes and its head has ${levels[0].classes.channels}`,
    );
  }
  const rows = classes.map((name) => known.indexOf(name));
  const body = levels.reduce((graph, level) => withRows(graph, level, rows, random), model.graph as OnnxGraph);
  const tail = levels.map(({ stride, boxes, classes: { output } }) => ({
    stride,
    boxes: boxes.output,
    classes: output,
  }));
  return withTail(changed(model, { graph: body }), tail, { classes, bins: levels[0].bins });
}

/** @param rows which old row each class takes over; -1: a fresh one */
function withRows(graph: OnnxGraph, level: DetectHeadLevel, rows: readonly number[], random: Random): OnnxGraph {
  const { output, weight, bias } = level.classes;
  const tensor = weightOf(graph, weight);
  const [, ...rowDims] = tensor.dims.map(Number);
  const old = tensorValues(tensor);
  const oldBias = bias === null ? null : tensorValues(weightOf(graph, bias));
  const length = rowDims.reduce((size, dim) => size * dim, 1);
  const values = new Float32Array(rows.length * length);
  const biases = new Float32Array(rows.length);
  for (const [place, row] of rows.entries()) {
    if (row < 0) {
      for (let at = 0; at < length; at += 1) values[place * length + at] = normal(random) * DEVIATION;
      biases[place] = Math.log(PRIOR / (1 - PRIOR));
    } else {
      values.set(old.subarray(row * length, (row + 1) * length), place * length);
      biases[place] = oldBias?.[row] ?? 0;
    }
  }
  const names = { weight: `classes.${level.stride}.weight`, bias: `classes.${level.stride}.bias` };
  const initializer = graph.initializer.filter(({ name }) => name !== names.weight && name !== names.bias);
  return changed(graph, {
    node: graph.node.map((node) =>
      node.output[0] === output ? changed(node, { input: [node.input[0], names.weight, names.bias] }) : node,
    ),
    initializer: [
      ...initializer,
      floatTensor(names.weight, [rows.length, ...rowDims], values),
      floatTensor(names.bias, [rows.length], biases),
    ],
  });
}

/** Box and Muller 1958. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
