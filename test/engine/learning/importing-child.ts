import { inspectPicture } from '../../../engine/imaging';
import { ImportedPictures, importFolder } from '../../../engine/learning';
import { openStore } from '../../../engine/store';

const [, , dataFolder, path] = process.argv;

/** Imports the folder given, and tells before each picture is looked at. */
async function main(): Promise<void> {
  const store = await openStore({ dataFolder });
  process.on('disconnect', () => process.exit());
  const inspect = (picture: Buffer) => {
    process.send?.('picture');
    return inspectPicture(picture);
  };
  await importFolder(new ImportedPictures({ store, inspect }), { partType: 'plate', path, label: 'OK', actor: 'ada' });
  process.send?.('done');
}

void main();
