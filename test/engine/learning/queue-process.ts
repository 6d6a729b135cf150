/** A process with a job queue of its own, for tests that kill it: `queue-process.ts <data folder>`. */
import { JobQueue, ModelRegistry } from '../../../engine/learning';
import { openStore } from '../../../engine/store';

async function main(dataFolder: string): Promise<void> {
  const store = await openStore({ dataFolder });
  const jobs = new JobQueue({ store, models: new ModelRegistry({ store }) });
  jobs.events.on('job', (job) => process.send?.(job));
  await jobs.open();
  const source = { kind: 'simulator', product: 'plate', count: 200 } as const;
  await jobs.submit({ partType: 'plate', source, deploy: true }, 'test');
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
