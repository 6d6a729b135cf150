import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  catalogue,
  catalogueEntry,
  defaultBackboneFolder,
  findPulled,
  isEmbedded,
  type PullProgress,
  pull,
} from '../engine/catalogue';
import { interruptible } from './interruptible';
import { terminal, WrongUse } from './output';

export const listHelp = `opti-quality models list [--folder DIR]

  The backbones of the catalogue, and which of them are here.`;

export const pullHelp = `opti-quality models pull ID [--folder DIR] [--mirror URL]

  Fetches a backbone; goes on where an earlier attempt broke off, and checks size and SHA-256.

  --folder DIR             where pulled backbones lie (OPTI_QUALITY_BACKBONES, or ~/.opti-quality/backbones);
                           a station looks in the folder backbones of its data
  --mirror URL             folder of the files on another server, or file:///path (OPTI_QUALITY_MIRROR);
                           HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured`;

const OPTIONS = { folder: { type: 'string' }, mirror: { type: 'string' }, json: { type: 'boolean' } } as const;
const { mirror: _, ...LIST_OPTIONS } = OPTIONS;

export async function listBackbones(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: LIST_OPTIONS });
  const folder = folderOf(values.folder);
  const backbones = await Promise.all(
    catalogue().map(async (entry) => {
      const { id, title, licence, bytes, input } = entry;
      const path = await findPulled(id, [folder]);
      return { id, title, licence, bytes, embedded: isEmbedded(entry), path, input };
    }),
  );
  if (values.json) {
    terminal.print(JSON.stringify({ folder, backbones }));
    return 0;
  }
  for (const { id, title, licence, bytes, embedded, path } of backbones) {
    const place = embedded ? 'embedded' : path === null ? 'not pulled' : 'here';
    terminal.print(
      `${id.padEnd(18)} ${megabytes(bytes).padStart(9)}  ${place.padEnd(10)}  ${licence.padEnd(10)}  ${title}`,
    );
  }
  terminal.print(`Pulled backbones lie in ${folder}.`);
  return 0;
}

export async function pullBackbone(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [id, ...others] = positionals;
  if (id === undefined || others.length > 0) throw new WrongUse('models pull takes one id; see models list.');
  const entry = catalogueEntry(id);
  const start = performance.now();
  const { path, fetched } = await interruptible('what came is kept, pulling again goes on from there', (signal) =>
    pull(id, {
      folder: folderOf(values.folder),
      mirror: values.mirror,
      signal,
      onProgress: progressPrinter(),
    }),
  );
  const seconds = Math.round((performance.now() - start) / 10) / 100;
  if (fetched && process.stderr.isTTY) terminal.note('');
  if (values.json) {
    terminal.print(JSON.stringify({ id, path, bytes: entry.bytes, sha256: entry.sha256, fetched, seconds }));
  } else {
    terminal.print(fetched ? `Pulled ${id} to ${path} in ${seconds} s.` : `${id} is here already: ${path}`);
  }
  return 0;
}

function folderOf(given: string | undefined): string {
  return resolve(given || defaultBackboneFolder());
}

/** A line for every tenth; on a terminal every change, in place. */
function progressPrinter(): (progress: PullProgress) => void {
  let last = '';
  return ({ stage, received, total }) => {
    const percent = Math.floor((100 * received) / total);
    const step = `${stage} ${Math.floor(percent / 10)}`;
    if (step === last && !process.stderr.isTTY) return;
    last = step;
    terminal.progress(`${String(percent).padStart(3)} %  ${stage}  ${megabytes(received)} of ${megabytes(total)}`);
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
