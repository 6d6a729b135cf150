import { openStore } from '../../../engine/store';

/** Opens the data folder given as argument, tells its parent and holds it until it is killed. */
async function main(): Promise<void> {
  await openStore({ dataFolder: process.argv[2] });
  process.send?.('open');
  process.on('disconnect', () => process.exit());
}

void main();
