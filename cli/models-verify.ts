import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileSource, folderBytes, goldenScores, importPackage, type ModelManifest } from '../engine/packages';
import { checkModel } from './check-model';
import { KEY_OPTIONS, modelKeyOf } from './model-key';
import { requireFile } from './models-import';
import { terminal, WrongUse } from './output';

export const verifyHelp = `opti-quality models verify DIR|FILE.opti [--key-file FILE]

  Compares every file of a model package, or of an exported one, with its hash, and judges its golden pictures. Exit code
  1 when anything is not as it was made.

  --key-file FILE          text file with the key it was encrypted with (otherwise OPTI_QUALITY_MODEL_KEY)`;

export async function verifyModel(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...KEY_OPTIONS, json: { type: 'boolean' } },
  });
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new WrongUse('models verify takes one folder or file.');
  const manifest = (await isFolder(path)) ? await checkModel(path) : await verifyFile(path, values['key-file']);
  const { kind, name, version, partType, files } = manifest;
  const counts = { files: Object.keys(files).length, bytes: folderBytes(manifest), golden: goldenScores(manifest) };
  if (values.json) terminal.print(JSON.stringify({ model: resolve(path), kind, name, version, partType, ...counts }));
  else {
    terminal.print(
      `Version ${version} of ${name} is as it was made: ${counts.files} files, ${counts.golden} golden pictures.`,
    );
  }
  return 0;
}

async function isFolder(path: string): Promise<boolean> {
  const facts = await stat(path).catch(() => null);
  return facts?.isDirectory() ?? false;
}

/** Unpacks into a temporary folder, which is gone at the end. */
async function verifyFile(file: string, keyFile: string | undefined): Promise<ModelManifest> {
  await requireFile(file);
  const key = await modelKeyOf(keyFile);
  const place = await mkdtemp(join(tmpdir(), 'opti-quality-'));
  const cancel = new AbortController();
  const onInterrupt = () => cancel.abort(new Error('cancelled'));
  process.once('SIGINT', onInterrupt);
  try {
    const folder = join(place, 'model');
    await importPackage(fileSource(file), folder, { key, signal: cancel.signal });
    return await checkModel(folder);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    await rm(place, { recursive: true, force: true });
  }
}
