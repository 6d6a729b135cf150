import { loadRuntime, type OnnxRuntime, sessionOptions } from '../inference';

type InferenceSession = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>;

/** A network that takes pictures and gives a row of numbers for each. Blocks its thread while it runs. */
export class ClassifierSession {
  private constructor(
    private readonly runtime: OnnxRuntime,
    private readonly session: InferenceSession,
    /** Size of the network as a file. */
    readonly fileBytes: number,
  ) {}

  /**
   * @param bytes an ONNX file with one picture input
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(bytes: Uint8Array, threads: number): Promise<ClassifierSession> {
    const runtime = loadRuntime();
    const session = await runtime.InferenceSession.create(bytes, sessionOptions(threads));
    return new ClassifierSession(runtime, session, bytes.length);
  }

  /**
   * One picture's row of an output.
   *
   * @param data planar RGB, [3 x height x width], 0..1
   */
  async run(data: Float32Array, width: number, height: number, output: string): Promise<Float32Array> {
    const [input] = this.session.inputNames;
    const picture = new this.runtime.Tensor('float32', data, [1, 3, height, width]);
    const results = await this.session.run({ [input]: picture }, [output]);
    return results[output].data as Float32Array;
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
