import { openStore } from '../../../engine/store';

const [, , dataFolder, ...ids] = process.argv;
const at = new Date().toISOString();

/** Labels the items given as arguments, approves every second and undoes every fifth, and tells of each when it is stored. */
async function main(): Promise<void> {
  const { reviews } = await openStore({ dataFolder });
  process.on('disconnect', () => process.exit());
  for (const [index, id] of ids.entries()) {
    await reviews.next({}, 'Ada', at);
    await reviews.decide(id, { label: index % 3 === 0 ? 'NG' : 'OK', reviewer: 'Ada', note: null }, 'ada', at);
    process.send?.([id, 'labelled']);
    if (index % 2 === 0) {
      await reviews.judge(id, { approved: index % 4 === 0, reviewer: 'Bob', note: null }, 'bob', at);
      process.send?.([id, index % 4 === 0 ? 'approved' : 'rejected']);
    } else if (index % 5 === 0) {
      await reviews.undo({ id }, 'ada', at);
      process.send?.([id, 'pending']);
    }
  }
  process.send?.('done');
}

void main();
