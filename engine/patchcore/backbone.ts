import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { InspectionError, packageRoot, sha256Of } from '../domain';
import { prepareBackbone } from '../onnx';
import { ModelInvalid, type ModelManifest } from '../packages';

/** Backbones that come with this package, by id. */
const EMBEDDED: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  starter: {
    file: join('models', 'starter-backbone', 'model.onnx'),
    sha256: 'e2b32c3dbdbf2cb3a092a0de23ec27c6be27a36771299c4e1fb025615a89a175',
  },
};

/** File name of a backbone that travels inside a model package. */
export const BACKBONE_FILE = 'backbone.onnx';

export interface Backbone {
  readonly id: string;
  readonly sha256: string;
  /** ONNX, with the outputs `stride8` and `stride16`. */
  readonly bytes: Uint8Array;
  /** True when it comes with this package and need not be copied into models. */
  readonly embedded: boolean;
}

/** Neither the id of an embedded backbone nor a readable file. */
export class BackboneNotFound extends InspectionError {
  constructor(asked: string, detail: string) {
    super({
      code: 'backbone-not-found',
      status: 'backbone not found',
      message: `The backbone ${JSON.stringify(asked)} cannot be used: ${detail}. Give ${Object.keys(EMBEDDED).join(' or ')}, or the path of an ONNX file.`,
      parameters: { backbone: asked, detail },
      httpStatus: 422,
    });
  }
}

/**
 * Finds the feature extractor to train with.
 *
 * @param asked id of an embedded backbone, or path of an ONNX file: a feature extractor or a whole classifier
 * @throws {BackboneNotFound} when there is no such file
 * @throws {OnnxInvalid} when the file is no convolutional network with activations at strides 8 and 16
 */
export async function resolveBackbone(asked = 'starter'): Promise<Backbone> {
  if (Object.hasOwn(EMBEDDED, asked)) return { id: asked, embedded: true, ...(await readEmbedded(asked)) };
  const file = await readFile(asked).catch((error: NodeJS.ErrnoException) => {
    throw new BackboneNotFound(asked, error.code === 'ENOENT' ? 'there is no such file' : error.message);
  });
  const { bytes } = prepareBackbone(file);
  const sha256 = sha256Of(bytes);
  const twin = Object.entries(EMBEDDED).find(([, entry]) => entry.sha256 === sha256);
  if (twin) return { id: twin[0], sha256, bytes, embedded: true };
  return { id: basename(asked, extname(asked)), sha256, bytes, embedded: false };
}

/**
 * The backbone a trained model names, from its package or from the embedded ones.
 *
 * @throws {ModelInvalid} when it is missing or is not the one the model was trained with
 */
export async function backboneOf(folder: string, manifest: ModelManifest): Promise<Uint8Array> {
  const { id, file, sha256 } = manifest.backbone;
  const place = file === null ? embeddedFile(id) : join(folder, file);
  if (!place) throw new ModelInvalid(folder, `its backbone ${id} does not come with this version of the software`);
  const bytes = await readFile(place).catch((error: Error) => {
    throw new ModelInvalid(folder, `its backbone ${id} cannot be read (${error.message})`, error);
  });
  if (sha256Of(bytes) !== sha256) throw new ModelInvalid(folder, `its backbone ${id} was changed`);
  return bytes;
}

async function readEmbedded(id: string): Promise<{ bytes: Uint8Array; sha256: string }> {
  const { file, sha256 } = EMBEDDED[id];
  const bytes = await readFile(join(packageRoot, file)).catch((error: Error) => {
    throw new BackboneNotFound(id, error.message);
  });
  if (sha256Of(bytes) !== sha256) throw new BackboneNotFound(id, `${file} was changed; install the package again`);
  return { bytes, sha256 };
}

function embeddedFile(id: string): string | null {
  return Object.hasOwn(EMBEDDED, id) ? join(packageRoot, EMBEDDED[id].file) : null;
}
