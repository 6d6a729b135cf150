import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import {
  type CatalogueEntry,
  catalogue,
  defaultBackboneFolder,
  embeddedPath,
  findPulled,
  isEmbedded,
} from '../catalogue';
import { InspectionError, sha256Of } from '../domain';
import { inspectBackbone, type Moment, type Normalisation, OnnxInvalid, tapBackbone } from '../onnx';
import { type BankManifest, ModelInvalid } from '../packages';

/** File name of a backbone that travels inside a model package. */
export const BACKBONE_FILE = 'backbone.onnx';

const STRIDES = [8, 16] as const;

export interface Backbone {
  readonly id: string;
  /** Of the file it comes from. */
  readonly sha256: string;
  /** ONNX that takes RGB pictures in 0..1 and has features at strides 8 and 16: `tapBackbone` gives them out. */
  readonly bytes: Uint8Array;
  /** True when it comes with this package and need not be copied into models. */
  readonly embedded: boolean;
}

export interface BackboneLookup {
  /** Where pulled backbones lie, the first that has it wins; the default folder unless told. */
  readonly folders?: readonly string[];
  /** What a network given by its path wants its input to be shifted and scaled by, when its graph does not do it. */
  readonly normalisation?: Normalisation;
  readonly entries?: readonly CatalogueEntry[];
}

/** Neither the id of a backbone that is here, nor a readable file. */
export class BackboneNotFound extends InspectionError {
  constructor(asked: string, detail: string) {
    const known = catalogue().map(({ id }) => id);
    super({
      code: 'backbone-not-found',
      status: 'backbone not found',
      message: `The backbone ${JSON.stringify(asked)} cannot be used: ${detail}. Give ${known.join(', ')}, or the path of an ONNX file.`,
      parameters: { backbone: asked, detail },
      httpStatus: 422,
    });
  }
}

/** A network as its file is. */
export interface FoundBackbone {
  readonly id: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  /** What RGB 0..1 is shifted and scaled by before it enters; undefined when the graph does it. */
  readonly normalisation: Normalisation | undefined;
  /** True when it comes with this package and need not be copied into models. */
  readonly embedded: boolean;
}

/**
 * Finds a network by id or path. A file that is one of the catalogue's, wherever it lies, is taken for that: with its id
 * and normalisation.
 *
 * @param asked id of a backbone of the catalogue, or path of an ONNX file: a feature extractor or a whole classifier
 * @throws {BackboneNotFound} when there is no such file, it was changed, or it must be pulled first
 */
export async function findBackbone(asked = 'starter', lookup: BackboneLookup = {}): Promise<FoundBackbone> {
  const { folders = [defaultBackboneFolder()], entries = catalogue() } = lookup;
  const entry = entries.find(({ id }) => id === asked);
  const bytes = await readBackbone(asked, entry ? await pathOf(entry, folders, entries) : asked);
  const sha256 = sha256Of(bytes);
  if (entry && sha256 !== entry.sha256) {
    const remedy = isEmbedded(entry) ? 'install the package again' : pullCommand(entry.id);
    throw new BackboneNotFound(asked, `its file was changed; ${remedy}`);
  }
  const known = entry ?? entries.find((other) => other.sha256 === sha256);
  const normalisation = known ? known.input.normalisation : lookup.normalisation;
  return {
    id: known?.id ?? basename(asked, extname(asked)),
    sha256,
    bytes,
    normalisation: normalisation ?? undefined,
    embedded: known !== undefined && isEmbedded(known),
  };
}

/**
 * Finds the feature extractor to train with, as `findBackbone`.
 *
 * @throws {BackboneNotFound} when there is no such file, it was changed, or it must be pulled first
 * @throws {OnnxInvalid} when the file is no convolutional network with activations at strides 8 and 16
 */
export async function resolveBackbone(asked = 'starter', lookup: BackboneLookup = {}): Promise<Backbone> {
  const { normalisation, ...found } = await findBackbone(asked, lookup);
  try {
    return { ...found, bytes: normalised(found.bytes, normalisation) };
  } catch (error) {
    throw error instanceof OnnxInvalid ? new OnnxInvalid(`${error.parameters.problem} (backbone ${asked})`) : error;
  }
}

/**
 * The backbone a trained model names, from its package or from the embedded ones.
 *
 * @throws {ModelInvalid} when it is missing or is not the one the model was trained with
 */
export async function backboneOf(folder: string, manifest: BankManifest): Promise<Uint8Array> {
  const { id, file, sha256 } = manifest.backbone;
  const entry = catalogue().find((known) => known.id === id);
  const embedded = entry && isEmbedded(entry) ? embeddedPath(entry) : null;
  const place = file === null ? embedded : join(folder, file);
  if (!place) throw new ModelInvalid(folder, `its backbone ${id} does not come with this version of the software`);
  const bytes = await readFile(place).catch((error: Error) => {
    throw new ModelInvalid(folder, `its backbone ${id} cannot be read (${error.message})`, error);
  });
  if (sha256Of(bytes) !== sha256) throw new ModelInvalid(folder, `its backbone ${id} was changed`);
  return bytes;
}

async function pathOf(
  entry: CatalogueEntry,
  folders: readonly string[],
  entries: readonly CatalogueEntry[],
): Promise<string> {
  const path = await findPulled(entry.id, folders, entries);
  if (path === null) throw new BackboneNotFound(entry.id, `it is not here yet; ${pullCommand(entry.id)}`);
  return path;
}

function pullCommand(id: string): string {
  return `run "opti-quality models pull ${id}"`;
}

async function readBackbone(asked: string, path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new BackboneNotFound(asked, error.code === 'ENOENT' ? 'there is no such file' : error.message);
  });
}

/** The file as it is when it takes RGB 0..1 already; otherwise its features, with the normalisation in front. */
function normalised(file: Uint8Array, normalisation: Normalisation | undefined): Uint8Array {
  const { taps } = inspectBackbone(file, STRIDES);
  if (!normalisation) return file;
  const moments: readonly Moment[] = taps.every(({ before }) => before !== null) ? ['after', 'before'] : ['after'];
  return tapBackbone(file, STRIDES, moments, normalisation).bytes;
}
