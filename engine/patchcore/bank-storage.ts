import { DataType, type GraphBuilder, OnnxInvalid, type OnnxTensor, rawTensor, readModel } from '../onnx';
import { halfOf, ofHalf } from './half';
import type { Matrix } from './matrix';

/** How the bank's numbers lie in the file: smaller ones are widened once, when the graph is loaded. */
export type BankStorage = 'float32' | 'float16' | 'int8';

const BANK = 'bank';
const SCALES = 'bank_scales';

/** A bank in a graph: the name of its value, and the numbers compared with, after the rounding of their storage. */
export interface BankInGraph {
  readonly name: string;
  readonly matrix: Matrix;
}

/**
 * Stores a bank in a graph, with the nodes that widen its numbers: ONNX Runtime computes those once, when it loads the
 * graph. Int8 numbers have one scale a row.
 */
export function addBank(graph: GraphBuilder, bank: Matrix, storage: BankStorage): BankInGraph {
  const { rows, columns } = bank;
  const values = bank.data.subarray(0, rows * columns);
  const dims = [rows, columns];
  if (storage === 'float32') {
    const name = graph.constant(rawTensor(BANK, dims, DataType.float, values));
    return { name, matrix: { data: values, rows, columns } };
  }
  if (storage === 'float16') {
    const halves = Uint16Array.from(values, halfOf);
    const name = graph.constant(rawTensor(BANK, dims, DataType.float16, halves));
    const matrix = { data: Float32Array.from(halves, ofHalf), rows, columns };
    return { name: graph.node('Cast', [name], { to: DataType.float }), matrix };
  }
  const scales = Float32Array.from({ length: rows }, (_, row) => scaleOf(values, row * columns, columns));
  const steps = Int8Array.from(values, (value, place) => Math.round(value / scales[Math.floor(place / columns)]));
  const name = graph.constant(rawTensor(BANK, dims, DataType.int8, steps));
  const wide = graph.node('Cast', [name], { to: DataType.float });
  const scale = graph.constant(rawTensor(SCALES, [rows, 1], DataType.float, scales));
  return { name: graph.node('Mul', [wide, scale]), matrix: { data: widened(steps, scales), rows, columns } };
}

/**
 * The memory bank of a head, one row a patch, as it is compared with (after the rounding of its storage).
 *
 * @param head bytes that `headGraph` made
 * @throws {OnnxInvalid} when they are no ONNX graph, or hold no such bank
 */
export function bankOf(head: Uint8Array): Matrix {
  const constants = readModel(head).graph?.initializer ?? [];
  const bank = constants.find(({ name }) => name === BANK);
  if (bank === undefined) throw new OnnxInvalid('it holds no memory bank that can be read back');
  const [rows, columns] = bank.dims.map(Number);
  const count = rows * columns;
  switch (bank.dataType) {
    case DataType.float:
      return { data: new Float32Array(bytesOf(bank, 4 * count)), rows, columns };
    case DataType.float16:
      return { data: Float32Array.from(new Uint16Array(bytesOf(bank, 2 * count)), ofHalf), rows, columns };
    case DataType.int8: {
      const scales = constants.find(({ name }) => name === SCALES);
      const data = widened(new Int8Array(bytesOf(bank, count)), new Float32Array(bytesOf(scales, 4 * rows)));
      return { data, rows, columns };
    }
    default:
      throw new OnnxInvalid(`its memory bank has the element type ${bank.dataType}, which is not supported here`);
  }
}

/** A copy, because the bytes in a file need not lie where a typed array may begin. */
function bytesOf(tensor: OnnxTensor | undefined, length: number): ArrayBuffer {
  if (tensor?.rawData?.length !== length) throw new OnnxInvalid('its memory bank is cut off');
  return new Uint8Array(tensor.rawData).buffer;
}

function widened(steps: Int8Array, scales: Float32Array): Float32Array {
  const columns = steps.length / scales.length;
  return Float32Array.from(steps, (step, place) => step * scales[Math.floor(place / columns)]);
}

/** The size of one of 127 steps up to the greatest number of a row. */
function scaleOf(values: Float32Array, from: number, columns: number): number {
  let most = 0;
  for (let place = from; place < from + columns; place += 1) most = Math.max(most, Math.abs(values[place]));
  return most === 0 ? 1 : most / 127;
}
