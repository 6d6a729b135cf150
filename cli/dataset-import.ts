import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidInput, type Label } from '../engine/domain';
import { inspectPicture } from '../engine/imaging';
import { ImportedPictures, type ImportResult, importFolder } from '../engine/learning';
import { isClassName } from '../engine/review';
import { openStore } from '../engine/store';
import { partTypeOf, required } from './options';
import { terminal, WrongUse } from './output';

/** Imports a folder of pictures, or a data set, into the data folder of a station that does not run. */
export async function importDataset(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      'part-type': { type: 'string' },
      label: { type: 'string' },
      class: { type: 'string' },
      database: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const dataFolder = resolve(required(values.data, 'data'));
  const partType = partTypeOf(values['part-type']);
  const label = labelOf(values.label);
  const shown = classOf(values.class);
  if (positionals.length !== 1) throw new WrongUse('Name one folder or data set.');
  const { database = 'inspection.sqlite' } = values;
  await access(join(dataFolder, database)).catch(() => {
    throw new InvalidInput(`${dataFolder} is no data folder of a station: it holds no ${database}. Check the path.`);
  });
  const store = await openStore({ dataFolder, databaseFile: database });
  let results: readonly ImportResult[];
  try {
    const imported = new ImportedPictures({ store, inspect: (picture) => inspectPicture(picture) });
    const path = resolve(positionals[0]);
    const order = { partType, path, label, class: shown, actor: 'command line', dataFolder };
    let done = 0;
    results = await importFolder(imported, order, {
      onResult: () => {
        done += 1;
        if (process.stderr.isTTY) terminal.progress(`${done} pictures`);
      },
    });
  } finally {
    await store.close();
  }
  const refused = results.flatMap((result) =>
    result.outcome === 'refused' ? [{ name: result.name, reason: result.reason }] : [],
  );
  const count = (outcome: ImportResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const [accepted, duplicates] = [count('accepted'), count('duplicate')];
  for (const { name, reason } of refused) terminal.note(`left out: ${name}: ${reason}`);
  if (values.json) terminal.print(JSON.stringify({ accepted, duplicates, refused }));
  else terminal.print(`${accepted} imported, ${duplicates} were there already, ${refused.length} left out`);
  return accepted + duplicates > 0 ? 0 : 1;
}

function labelOf(value: string | undefined): Label | undefined {
  if (value === undefined || value === 'OK' || value === 'NG') return value;
  throw new WrongUse(`--label takes OK or NG, not ${value}.`);
}

function classOf(value: string | undefined): string | undefined {
  if (value === undefined || isClassName(value)) return value;
  throw new WrongUse(`--class takes 1 to 64 characters, none of control, and no spaces around them, not ${value}.`);
}
