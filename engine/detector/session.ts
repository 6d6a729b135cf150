import { loadRuntime, type OnnxRuntime, sessionOptions } from '../inference';
import { checkGraph, type OnnxGraph, readModel } from '../onnx';
import type { OutputTensor } from './decode';
import { DetectorUnsupported } from './errors';
import { type DetectorDescription, describeDetector } from './layout';

type InferenceSession = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>;

/** A detector's network, loaded. Blocks its thread while it runs. */
export class DetectorSession {
  private constructor(
    private readonly runtime: OnnxRuntime,
    private readonly session: InferenceSession,
    readonly description: DetectorDescription,
    /** Size of the network as a file. */
    readonly fileBytes: number,
  ) {}

  /**
   * @param bytes an ONNX file
   * @throws {DetectorUnsupported} as `describeDetector`, and when ONNX Runtime refuses it
   * @throws {OnnxInvalid} when it is damaged
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(bytes: Uint8Array, threads: number): Promise<DetectorSession> {
    const model = readModel(bytes);
    checkGraph(model.graph as OnnxGraph);
    const description = describeDetector(model);
    const runtime = loadRuntime();
    const session = await runtime.InferenceSession.create(bytes, sessionOptions(threads)).catch((error: Error) => {
      throw new DetectorUnsupported(`ONNX Runtime does not load it (${error.message})`, error);
    });
    return new DetectorSession(runtime, session, description, bytes.length);
  }

  /** @param data planar RGB, [3 x height x width], 0..1 */
  async run(data: Float32Array, width: number, height: number): Promise<OutputTensor> {
    const { input, output } = this.description;
    const picture = new this.runtime.Tensor('float32', data, [1, 3, height, width]);
    const { [output]: result } = await this.session.run({ [input.name]: picture }, [output]);
    if (!(result.data instanceof Float32Array)) {
      throw new DetectorUnsupported(`its output ${output} has ${result.type} numbers, not float32`);
    }
    return { data: result.data, dims: result.dims };
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}
