import { Session } from '../inference';

/** A network that takes pictures and gives a row of numbers for each. Blocks its thread while it runs. */
export class ClassifierSession {
  private constructor(private readonly session: Session) {}

  /**
   * @param bytes an ONNX file with one picture input
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(bytes: Uint8Array, threads: number): Promise<ClassifierSession> {
    return new ClassifierSession(await Session.open(bytes, threads));
  }

  /** Size of the network as a file. */
  get fileBytes(): number {
    return this.session.fileBytes;
  }

  /**
   * One picture's row of an output.
   *
   * @param data planar RGB, [3 x height x width], 0..1
   */
  async run(data: Float32Array, width: number, height: number, output: string): Promise<Float32Array> {
    const [input] = this.session.inputs;
    const results = await this.session.run({ [input]: { data, dims: [1, 3, height, width] } }, [output]);
    return results[output].data;
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
