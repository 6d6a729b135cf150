/**
 * How long pages take over HTTP when a line has run for long: a station with many inspections and review items.
 *
 *     npm run bench:store [-- --inspections 1000000 --items 100000]
 *
 * Fills a new data folder, then asks for the pages of the review queue, the next item, the history and the statistics, one
 * request after the other, and prints the median and the 95th percentile of each.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { QUEUE_REASONS, type ReviewItem, VERDICTS } from '../engine/domain';
import { openStation } from '../engine/station';
import type { Page } from '../engine/store';
import { serveApi } from '../test/engine/api/line';
import { type FilledStore, fillStore, PART_TYPES, REVIEWERS } from './filled-store';
import { percentile } from './statistics';
import { heading, row } from './table';

const REQUESTS = 100;
const GOAL_MS = 100;
const DAY_MS = 86_400_000;
const FOREVER = { days: null, bytes: null };

const { values } = parseArgs({
  options: { inspections: { type: 'string', default: '1000000' }, items: { type: 'string', default: '100000' } },
});

void main();

async function main(): Promise<void> {
  const [inspections, items] = [Number(values.inspections), Number(values.items)];
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.version}`);
  const dataFolder = mkdtempSync(join(tmpdir(), 'bench-store-'));
  try {
    const started = performance.now();
    const filled = await fillStore(dataFolder, inspections, items);
    const megabytes = statSync(join(dataFolder, 'inspection.sqlite')).size / 1024 ** 2;
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `${inspections} inspections, ${items} review items: ${megabytes.toFixed(0)} MB, made in ${seconds.toFixed(0)} s`,
    );
    await measure(dataFolder, filled, inspections);
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

async function measure(dataFolder: string, filled: FilledStore, inspections: number): Promise<void> {
  const station = await openStation({
    id: 'bench',
    name: 'Bench',
    dataFolder,
    failSafe: 'NG',
    deadlineMs: 5000,
    retention: { OK: FOREVER, NG: FOREVER, REVIEW: FOREVER },
    pool: { size: 1, queueLimit: 8, queuePolicy: 'reject', memoryCapMb: 256 },
  });
  const api = await serveApi(() => [station]);
  const client = new Client(api.url);
  try {
    await measureQueue(client);
    await measureNext(client);
    await measureHistory(client, filled, inspections);
    await measureCounts(client, filled);
    heading('ms over HTTP: median and 95th percentile');
    const worst = client.report();
    row(
      `slowest 95th percentile (goal: below ${GOAL_MS} ms)`,
      `${worst.toFixed(1)}${worst < GOAL_MS ? '' : '  MISSED'}`,
    );
  } finally {
    await api.close();
    await station.close();
  }
}

async function measureQueue(client: Client): Promise<void> {
  await client.page('queue page, what waits, by age', () => '/labeling-queue?state=pending');
  await client.page(
    'queue page of a part type, by information',
    (index) => `/labeling-queue?state=pending&order=information&partType=${turn(PART_TYPES, index)}`,
  );
  await client.page(
    'queue page of a reason',
    (index) => `/labeling-queue?state=pending&queueReason=${turn(QUEUE_REASONS, index)}`,
  );
  await client.page(
    'queue page of a reason and part type, by information',
    (index) =>
      `/labeling-queue?state=pending&order=information&partType=${turn(PART_TYPES, index)}&queueReason=${turn(QUEUE_REASONS, index)}`,
  );
  await client.page('queue page, what waits for approval', () => '/labeling-queue?state=labelled');
  await client.page(
    'queue page, what a reviewer decided',
    (index) => `/labeling-queue?reviewer=${turn(REVIEWERS, index)}`,
  );
}

/** Several reviewers in turn ask for an item and label it. */
async function measureNext(client: Client): Promise<void> {
  for (const order of ['age', 'information']) {
    for (let index = 0; index < REQUESTS; index += 1) {
      const reviewer = turn(REVIEWERS, index);
      const { item } = await client.get<{ item: ReviewItem | null }>(
        `next item, by ${order}`,
        `/labeling-queue/next?reviewer=${reviewer}&order=${order}`,
      );
      if (!item) return;
      await client.post('label', `/labeling-queue/${item.id}/label`, { label: 'OK', reviewer });
    }
  }
}

async function measureHistory(client: Client, { from, to, serial }: FilledStore, count: number): Promise<void> {
  const partType = (index: number) => turn(PART_TYPES, index);
  const verdict = (index: number) => turn(VERDICTS, index);
  const moment = (index: number) => new Date(from + ((to - from) * (index + 0.5)) / REQUESTS).toISOString();
  await client.page('history page, newest', () => '/inspections');
  await client.page('history page of a part type', (index) => `/inspections?partType=${partType(index)}`);
  await client.page('history page of a verdict', (index) => `/inspections?verdict=${verdict(index)}`);
  await client.page(
    'history page of a part type and verdict',
    (index) => `/inspections?partType=${partType(index)}&verdict=${verdict(index)}`,
  );
  await client.page('history page of a part type that there is not', () => '/inspections?partType=none&verdict=NG');
  await client.page(
    'history page of a serial number',
    (index) => `/inspections?serial=${serial(Math.floor((count * index) / REQUESTS))}`,
  );
  await client.page('history page before a moment', (index) => `/inspections?to=${moment(index)}`);
  await client.page(
    'history page before a moment, of a part type and verdict',
    (index) => `/inspections?to=${moment(index)}&partType=${partType(index)}&verdict=${verdict(index)}`,
  );
  await client.page('history page of an hour, of a verdict', (index) => {
    const end = new Date(Date.parse(moment(index)) + DAY_MS / 24).toISOString();
    return `/inspections?from=${moment(index)}&to=${end}&verdict=${verdict(index)}`;
  });
}

async function measureCounts(client: Client, { to }: FilledStore): Promise<void> {
  const lastWeek = new Date(to - 7 * DAY_MS).toISOString();
  for (let index = 0; index < REQUESTS; index += 1) {
    await client.get('statistics of the queue', '/labeling-queue/stats');
    await client.get('statistics of a part type', `/labeling-queue/stats?partType=${turn(PART_TYPES, index)}`);
    await client.get('statistics of the last week', `/labeling-queue/stats?from=${lastWeek}`);
    await client.get('escape estimate', '/labeling-queue/escape-estimate');
    await client.get('part types', '/part-types');
    await client.get('counters of the day', '/counters?since=day');
  }
}

/** Each in turn, again from the first after the last. */
function turn<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length];
}

/** Asks and keeps how long each kind of request took. */
class Client {
  private readonly times = new Map<string, number[]>();

  constructor(private readonly url: string) {}

  /** First pages, and after every second one the page that follows. */
  async page(kind: string, path: (index: number) => string): Promise<void> {
    for (let index = 0; index < REQUESTS; index += 1) {
      const { nextCursor } = await this.get<Page<object>>(kind, path(index));
      if (nextCursor === null || index % 2 === 1) continue;
      await this.get(kind, `${path(index)}${path(index).includes('?') ? '&' : '?'}cursor=${nextCursor}`);
    }
  }

  get<Body>(kind: string, path: string): Promise<Body> {
    return this.timed(kind, path, {});
  }

  post<Body>(kind: string, path: string, body: object): Promise<Body> {
    const headers = { 'content-type': 'application/json' };
    return this.timed(kind, path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** Prints all kinds. @returns the slowest 95th percentile */
  report(): number {
    const highs = [...this.times].map(([kind, times]) => {
      const [middle, high] = [percentile(times, 50), percentile(times, 95)];
      row(kind, `${middle.toFixed(1).padStart(8)}${high.toFixed(1).padStart(9)}`);
      return high;
    });
    return Math.max(...highs);
  }

  private async timed<Body>(kind: string, path: string, options: RequestInit): Promise<Body> {
    const started = performance.now();
    const answer = await fetch(`${this.url}${path}`, options);
    const body = (await answer.json()) as Body;
    const taken = performance.now() - started;
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${JSON.stringify(body)}`);
    const times = this.times.get(kind) ?? [];
    times.push(taken);
    this.times.set(kind, times);
    return body;
  }
}
