import { Session } from '../inference';
import { GraphBuilder, writeModel } from '../onnx';
import type { Matrix } from './matrix';

/** Matrix products in compiled code. Ends with `close`. */
export class Products {
  private constructor(
    private readonly plain: Session,
    private readonly gram: Session,
  ) {}

  static async open(threads: number): Promise<Products> {
    return new Products(await Session.open(productGraph(0), threads), await Session.open(productGraph(1), threads));
  }

  /** `a * b`. */
  multiply(a: Matrix, b: Matrix): Promise<Matrix> {
    return run(this.plain, a, b);
  }

  /** `a' * b`. */
  multiplyTransposed(a: Matrix, b: Matrix): Promise<Matrix> {
    return run(this.gram, a, b);
  }

  async close(): Promise<void> {
    await this.plain.close();
    await this.gram.close();
  }
}

async function run(session: Session, a: Matrix, b: Matrix): Promise<Matrix> {
  const { product } = await session.run({ a: tensorOf(a), b: tensorOf(b) }, ['product']);
  return { data: product.data, rows: product.dims[0], columns: product.dims[1] };
}

function tensorOf({ data, rows, columns }: Matrix) {
  return { data: data.subarray(0, rows * columns), dims: [rows, columns] };
}

function productGraph(transA: 0 | 1): Uint8Array {
  const graph = new GraphBuilder('product');
  const a = graph.input('a', ['m', 'n']);
  const b = graph.input('b', ['o', 'p']);
  graph.output('product', graph.node('Gemm', [a, b], { transA }), ['q', 'r']);
  return writeModel(graph.build());
}
