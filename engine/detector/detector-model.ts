import type { ModelReference } from '../domain';
import { defaultThreads } from '../inference';
import { ModelInvalid, readManifest, readPackageFile, verifyFiles } from '../packages';
import {
  type DetectDefaults,
  type DetectionResult,
  type DetectOptions,
  detectWith,
  inputSize,
  PLAIN_DEFAULTS,
} from './detect';
import { verifyGolden } from './golden';
import type { DetectorDescription } from './layout';
import { DetectorSession } from './session';
import { type DetectorSource, modelOf, readDetectorFile } from './source';

export interface DetectorOpenOptions {
  /** Threads of ONNX Runtime; all cores but one unless told. */
  readonly threads?: number;
  /** Check a package's hashes and golden pictures first; true unless told. */
  readonly verify?: boolean;
}

/** Where a detector comes from; bytes of an ONNX file may be given a name for messages. */
export type DetectorOrigin = DetectorSource | { readonly bytes: Uint8Array; readonly name?: string };

/** A detector, loaded. Ends with `dispose`. */
export class DetectorModel {
  private constructor(
    private readonly session: DetectorSession,
    readonly model: ModelReference,
    /** What holds where `detect` is told nothing else. */
    readonly defaults: DetectDefaults,
  ) {}

  /**
   * @throws {DetectorNotFound} when there is no file
   * @throws {DetectorUnsupported} when it is no detector known here
   * @throws {OnnxInvalid} when the file is damaged
   * @throws {ModelInvalid} when a package's file was changed, or its golden pictures give other boxes
   * @throws {RuntimeMissing} without ONNX Runtime
   */
  static async open(source: DetectorOrigin, options: DetectorOpenOptions = {}): Promise<DetectorModel> {
    const { threads = defaultThreads(), verify = true } = options;
    if ('folder' in source) return DetectorModel.openPackage(source.folder, threads, verify);
    const { bytes, model } =
      'file' in source
        ? await readDetectorFile(source.file)
        : { bytes: source.bytes, model: modelOf(source.bytes, source.name ?? 'detector') };
    return new DetectorModel(await DetectorSession.open(bytes, threads), model, PLAIN_DEFAULTS);
  }

  get description(): DetectorDescription {
    return this.session.description;
  }

  /** Sides of the network's input in pixels. */
  get inputSize(): { readonly width: number; readonly height: number } {
    return inputSize(this.description);
  }

  /** Size of the network as a file. */
  get fileBytes(): number {
    return this.session.fileBytes;
  }

  /**
   * @param picture encoded JPEG or PNG
   * @throws {PictureUnreadable} as `inspectPicture`
   * @throws {InvalidInput} for options out of range, and thresholds of classes it does not know
   */
  async detect(picture: Buffer, options: DetectOptions = {}): Promise<DetectionResult> {
    return { ...(await detectWith(this.session, picture, options, this.defaults)), model: this.model };
  }

  async dispose(): Promise<void> {
    await this.session.close();
  }

  private static async openPackage(folder: string, threads: number, verify: boolean): Promise<DetectorModel> {
    const manifest = await (verify ? verifyFiles(folder, 'detector') : readManifest(folder, 'detector'));
    const { name, version, thresholds, iou, classes } = manifest;
    const session = await DetectorSession.open(await readPackageFile(folder, manifest.model), threads);
    try {
      const model = new DetectorModel(session, { name, version }, { thresholds, iou });
      if (session.description.classes.join('\n') !== classes.join('\n')) {
        throw new ModelInvalid(folder, `its network knows the classes ${session.description.classes.join(', ')}`);
      }
      if (verify) await verifyGolden(folder, manifest, (picture) => model.detect(picture));
      return model;
    } catch (error) {
      await session.close();
      throw error;
    }
  }
}
