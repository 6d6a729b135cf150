import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidInput } from '../engine/domain';
import { fileSource, importPackage, importVersion } from '../engine/packages';
import { checkModel } from './check-model';
import { interruptible } from './interruptible';
import { KEY_OPTIONS, modelKeyOf } from './model-key';
import { numberWithin, required } from './options';
import { terminal, WrongUse } from './output';

export const importHelp = `opti-quality models import FILE.opti --out DIR | --data DIR [--key-file FILE] [--limit MB]

  Unpacks a model and checks hashes and golden pictures. What is altered, cut off or judged otherwise leaves nothing behind.

  --out DIR                a folder that does not exist, or is empty; gets byte for byte what was exported
  --data DIR               the data folder of a station, which may run meanwhile: the model becomes the next version
                           there. It is not in production until it is deployed
  --key-file FILE          text file with the key it was encrypted with (otherwise OPTI_QUALITY_MODEL_KEY)
  --limit MB               megabytes it may have, 1 to 65536 (default 2048)`;

export async function importModel(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...KEY_OPTIONS,
      out: { type: 'string' },
      data: { type: 'string' },
      limit: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new WrongUse('models import takes one file.');
  if ((values.out === undefined) === (values.data === undefined)) throw new WrongUse('Give --out or --data.');
  const megabytes = numberWithin(values.limit, 'limit', 1, 65_536);
  await requireFile(file);
  const key = await modelKeyOf(values['key-file']);
  const options = {
    key,
    check: async (folder: string) => void (await checkModel(folder)),
    ...(megabytes !== undefined && { limits: { bytes: megabytes * 1024 ** 2 } }),
  };
  const { folder, manifest } = await interruptible('nothing was imported', (signal) =>
    values.out === undefined
      ? intoStation(file, required(values.data, 'data'), { ...options, signal })
      : intoFolder(file, required(values.out, 'out'), { ...options, signal }),
  );
  const { name, version, partType, origin } = manifest;
  if (values.json) {
    terminal.print(JSON.stringify({ model: folder, name, version, partType, origin: origin ?? null }));
  } else {
    const from = origin === undefined ? '' : ` (there: version ${origin.version})`;
    terminal.print(`Version ${version} of ${name}${from} is in ${folder}; hashes and golden pictures are right.`);
  }
  return 0;
}

/** @throws {InvalidInput} when it is no file */
export async function requireFile(path: string): Promise<void> {
  const facts = await stat(path).catch(() => null);
  if (!facts?.isFile()) throw new InvalidInput(`There is no file ${path}.`, { path });
}

type Options = Parameters<typeof importPackage>[2];

async function intoFolder(file: string, out: string, options: Options) {
  const folder = resolve(out);
  return { folder, manifest: await importPackage(fileSource(file), folder, options) };
}

async function intoStation(file: string, data: string, options: Options) {
  const facts = await stat(data).catch(() => null);
  if (!facts?.isDirectory()) throw new InvalidInput(`There is no data folder ${data}.`, { folder: data });
  const models = resolve(data, 'models');
  const manifest = await importVersion(fileSource(file), models, options);
  return { folder: join(models, manifest.name, manifest.version), manifest };
}
