import { Session, type Tensor } from '../inference';
import { inspectBackbone, type Moment, tapBackbone } from '../onnx';
import { type Backbone, BackboneNotFound } from './backbone';
import type { Layer } from './neck-graph';

/** Strides at which features are taken, finest first. */
export const STRIDES = [8, 16] as const;

/** The activations of a backbone for one view, by the heads' input names (`stride8`, `stride16`). */
export type Features = Readonly<Record<string, Tensor>>;

/** A backbone's output: what is taken at a stride. */
export interface BackboneOutput {
  readonly stride: number;
  /** Name in the graph. */
  readonly name: string;
}

/** The features of one view: what the session gives, under the names that heads expect. */
export async function runBackbone(
  session: Session,
  outputs: readonly BackboneOutput[],
  input: Tensor,
): Promise<Features> {
  const names = outputs.map(({ name }) => name);
  const found = await session.run({ [session.inputs[0]]: input }, names);
  return Object.fromEntries(outputs.map(({ stride, name }) => [`stride${stride}`, found[name]]));
}

/** A backbone tapped at one moment, ready to run. */
export interface TappedExtractor {
  readonly bytes: Uint8Array;
  readonly outputs: readonly BackboneOutput[];
}

/**
 * The moments at which this backbone's features can be taken, the better one first: on MobileNetV1 features before the
 * activation raised the image AUROC on solar cells by 2 to 3 points.
 */
export function momentsOf(backbone: Backbone): readonly Moment[] {
  const { taps } = inspectBackbone(backbone.bytes, STRIDES);
  return taps.every(({ before }) => before !== null) ? ['before', 'after'] : ['after'];
}

/** @throws {BackboneNotFound} when it runs with another picture size only */
export function tapAt(
  backbone: Backbone,
  moment: Moment,
  { width, height }: { readonly width: number; readonly height: number },
): TappedExtractor {
  const { bytes, fixed } = tapBackbone(backbone.bytes, STRIDES, [moment]);
  if (fixed && (fixed.width !== width || fixed.height !== height)) {
    const size = `${fixed.width} x ${fixed.height}`;
    throw new BackboneNotFound(
      backbone.id,
      `it runs with ${size} pixels only (${fixed.reason}); choose that input size`,
    );
  }
  const suffix = moment === 'after' ? '' : `_${moment}`;
  return { bytes, outputs: STRIDES.map((stride) => ({ stride, name: `stride${stride}${suffix}` })) };
}

/** A session that extracts features, checked once against the picture's size. Ends with `close`. */
export class Extractor {
  private constructor(
    readonly session: Session,
    readonly outputs: readonly BackboneOutput[],
    readonly layers: readonly Layer[],
  ) {}

  /** @throws {BackboneNotFound} when it does not run, or gives another grid than its strides promise */
  static async open(
    backbone: Backbone,
    { bytes, outputs }: TappedExtractor,
    { width, height }: { readonly width: number; readonly height: number },
    threads: number,
  ): Promise<Extractor> {
    const session = await Session.open(bytes, threads);
    try {
      const probe = { data: new Float32Array(3 * width * height).fill(0.5), dims: [1, 3, height, width] };
      const features = await runBackbone(session, outputs, probe).catch((error: Error) => {
        throw new BackboneNotFound(backbone.id, `it does not run on ${width} x ${height} pixels (${error.message})`);
      });
      const layers = outputs.map(({ stride, name }) => {
        const { dims } = features[`stride${stride}`];
        if (dims.length !== 4 || dims[2] !== height / stride || dims[3] !== width / stride) {
          throw new BackboneNotFound(backbone.id, `its output ${name} is [${dims}] for ${width} x ${height} pixels`);
        }
        return { stride, channels: dims[1] };
      });
      return new Extractor(session, outputs, layers);
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** @param data planar RGB 0..1 of the size given at opening */
  features({ data, width, height }: { data: Float32Array; width: number; height: number }): Promise<Features> {
    return runBackbone(this.session, this.outputs, { data, dims: [1, 3, height, width] });
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
