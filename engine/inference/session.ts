import { loadRuntime, type OnnxRuntime, sessionOptions } from './runtime';

type InferenceSession = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>;

export interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A loaded ONNX graph with float32 inputs and outputs. Blocks its thread while it runs. */
export class Session {
  private constructor(
    private readonly runtime: OnnxRuntime,
    private readonly session: InferenceSession,
    /** Size of the graph as a file. */
    readonly fileBytes: number,
  ) {}

  /**
   * @param threads threads of ONNX Runtime for this graph
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(bytes: Uint8Array, threads: number): Promise<Session> {
    const runtime = loadRuntime();
    return new Session(runtime, await runtime.InferenceSession.create(bytes, sessionOptions(threads)), bytes.length);
  }

  get inputs(): readonly string[] {
    return this.session.inputNames;
  }

  get outputs(): readonly string[] {
    return this.session.outputNames;
  }

  async run<Output extends string>(
    feeds: Readonly<Record<string, Tensor>>,
    outputs: readonly Output[],
  ): Promise<Record<Output, Tensor>> {
    const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [
      name,
      new this.runtime.Tensor('float32', data, dims),
    ]);
    const results = await this.session.run(Object.fromEntries(tensors), [...outputs]);
    const pairs = outputs.map((name) => [name, { data: results[name].data as Float32Array, dims: results[name].dims }]);
    return Object.fromEntries(pairs) as Record<Output, Tensor>;
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
