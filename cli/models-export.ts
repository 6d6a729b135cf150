import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { exportPackage } from '../engine/packages';
import { interruptible } from './interruptible';
import { KEY_OPTIONS, modelKeyOf } from './model-key';
import { required } from './options';
import { terminal, WrongUse } from './output';

export const exportHelp = `opti-quality models export --model DIR --out FILE.opti [--key-file FILE | --plain]

  Writes a model package into one file, after its hashes were checked. With a key it is encrypted.

  --model DIR              the model package
  --out FILE.opti          the file; must not exist
  --key-file FILE          text file with the key (otherwise OPTI_QUALITY_MODEL_KEY, if it is set): 32 random bytes as
                           64 hex digits or base64, or a pass phrase of at least 12 characters
  --plain                  not encrypted, although OPTI_QUALITY_MODEL_KEY is set`;

export async function exportModel(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ...KEY_OPTIONS,
      model: { type: 'string' },
      out: { type: 'string' },
      plain: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const folder = required(values.model, 'model');
  const file = resolve(required(values.out, 'out'));
  if (values.plain && values['key-file'] !== undefined) {
    throw new WrongUse('--plain and --key-file exclude each other.');
  }
  const key = values.plain ? null : await modelKeyOf(values['key-file']);
  const { manifest, bytes } = await interruptible('nothing was written', (signal) =>
    exportPackage(folder, file, { key, signal }),
  );
  const { name, version, partType } = manifest;
  const encrypted = key !== null;
  if (values.json) terminal.print(JSON.stringify({ file, bytes, encrypted, name, version, partType }));
  else {
    const how = encrypted ? 'encrypted' : 'not encrypted';
    terminal.print(`Version ${version} of ${name} written to ${file}: ${(bytes / 1e6).toFixed(1)} MB, ${how}.`);
  }
  return 0;
}
