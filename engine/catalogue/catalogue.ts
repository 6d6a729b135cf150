import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, posix } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../domain';
import { BackboneUnknown } from './errors';

const triple = z.tuple([z.number(), z.number(), z.number()]);

const common = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  title: z.string().min(1),
  /** SPDX identifier. */
  licence: z.string().min(1),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  input: z.strictObject({
    /** The picture size the network was trained with. */
    width: z.int().positive(),
    height: z.int().positive(),
    /** What RGB 0..1 is shifted and scaled by before it enters; null when the graph does it. */
    normalisation: z.strictObject({ mean: triple, deviation: triple }).nullable(),
  }),
};
const embedded = z.strictObject({ ...common, file: z.string().min(1) });
const pulled = z.strictObject({ ...common, url: z.url({ protocol: /^(https?|file)$/ }) });

const schema = z
  .strictObject({ version: z.literal(1), backbones: z.array(z.union([embedded, pulled])) })
  .refine(({ backbones }) => new Set(backbones.map(({ id }) => id)).size === backbones.length, 'an id is there twice');

/** A backbone that comes with this package. */
export type EmbeddedBackbone = Readonly<z.infer<typeof embedded>>;
/** A backbone that is pulled on demand. */
export type PulledBackbone = Readonly<z.infer<typeof pulled>>;
export type CatalogueEntry = EmbeddedBackbone | PulledBackbone;

const modelsFolder = join(packageRoot, 'models');
let read: readonly CatalogueEntry[] | undefined;

/** The backbones known by id, the embedded one first (models/catalogue.json). */
export function catalogue(): readonly CatalogueEntry[] {
  read ??= readCatalogue(readFileSync(join(modelsFolder, 'catalogue.json'), 'utf8'));
  return read;
}

/**
 * Checks the text of a catalogue.
 *
 * @throws {z.ZodError | SyntaxError} when it breaks its schema
 */
export function readCatalogue(text: string): readonly CatalogueEntry[] {
  return schema.parse(JSON.parse(text)).backbones;
}

/** @throws {BackboneUnknown} */
export function catalogueEntry(id: string, entries: readonly CatalogueEntry[] = catalogue()): CatalogueEntry {
  const found = entries.find((entry) => entry.id === id);
  if (found) return found;
  throw new BackboneUnknown(
    id,
    entries.map((entry) => entry.id),
  );
}

export function isEmbedded(entry: CatalogueEntry): entry is EmbeddedBackbone {
  return 'file' in entry;
}

/** Where the file of an embedded backbone is. */
export function embeddedPath(entry: EmbeddedBackbone): string {
  return join(modelsFolder, entry.file);
}

/** The name of a pulled file: in a backbone folder, and on a mirror. */
export function fileNameOf(entry: PulledBackbone): string {
  return decodeURIComponent(posix.basename(new URL(entry.url).pathname));
}

/** The folder for pulled backbones when none is given: `OPTI_QUALITY_BACKBONES`, or `.opti-quality/backbones` at home. */
export function defaultBackboneFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.OPTI_QUALITY_BACKBONES || join(homedir(), '.opti-quality', 'backbones');
}
