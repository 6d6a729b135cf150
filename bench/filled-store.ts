import { join } from 'node:path';
import { promisify } from 'node:util';
import { Database } from 'sqlite3';
import { encodeTime } from 'ulid';
import { QUEUE_REASONS, type Random, type ReviewState, seededRandom, timestamp, type Verdict } from '../engine/domain';
import { openStore } from '../engine/store';

export const PART_TYPES = ['plate', 'cable', 'cap', 'board', 'lid'];
export const REVIEWERS = ['Ada', 'Bob', 'Cleo', 'Dan'];

/** A part about every second, the last one now. */
const STEP_MS = 1000;
const BATCH = 5000;

/** Where the shares of review items end, in 0..1. */
const STATES: readonly (readonly [ReviewState, number])[] = [
  ['pending', 0.4],
  ['labelled', 0.7],
  ['approved', 0.9],
  ['rejected', 0.93],
  ['skipped', 1],
];

export interface FilledStore {
  /** Of the first inspection. */
  readonly from: number;
  readonly to: number;
  serial(index: number): string;
}

/**
 * Fills a data folder with inspections of some part types over some days, and every so many of them as review item. Rows
 * are as large as those of a line; there are no picture files.
 */
export async function fillStore(dataFolder: string, inspections: number, items: number): Promise<FilledStore> {
  await (await openStore({ dataFolder })).close();
  const database = new Database(join(dataFolder, 'inspection.sqlite'));
  const execute = promisify<string>(database.exec.bind(database));
  const run = (sql: string, rows: readonly object[]) =>
    new Promise<void>((resolve, reject) => {
      database.run(sql, JSON.stringify(rows), (error) => (error ? reject(error) : resolve()));
    });
  const random = seededRandom(1);
  const to = Date.now();
  const from = to - inspections * STEP_MS;
  const serial = (index: number) => `S${String(index).padStart(9, '0')}`;
  const every = Math.max(1, Math.floor(inspections / Math.max(1, items)));
  let decisions = 0;

  await execute('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
  for (let start = 0; start < inspections; start += BATCH) {
    const parts: Part[] = [];
    for (let index = start; index < Math.min(start + BATCH, inspections); index += 1) {
      parts.push(drawPart(index, from + index * STEP_MS, serial(index), random));
    }
    await execute('BEGIN');
    await run(INSERT_INSPECTIONS, parts);
    const queued = parts.filter((_part, offset) => (start + offset) % every === 0 && (start + offset) / every < items);
    const reviewed = queued.map((part) => drawItem(part, random, () => ++decisions));
    await run(INSERT_ITEMS, reviewed);
    await run(
      INSERT_LABELS,
      reviewed.filter(({ state }) => state === 'labelled' || state === 'approved'),
    );
    await execute('COMMIT');
  }
  await promisify(database.close.bind(database))();
  return { from, to, serial };
}

interface Part {
  readonly id: string;
  readonly part_type: string;
  readonly serial: string;
  readonly at: string;
  readonly verdict: Verdict;
  readonly image: object;
  readonly findings: readonly object[];
  readonly decision: object;
  readonly path: string;
}

function drawPart(index: number, time: number, serial: string, random: Random): Part {
  const id = encodeTime(time) + String(index).padStart(16, '0');
  const at = timestamp(time);
  const partType = pick(PART_TYPES, random() ** 2);
  const chance = random();
  const verdict = chance < 0.95 ? 'OK' : chance < 0.97 ? 'NG' : 'REVIEW';
  const score = { OK: 0.4, REVIEW: 0.9, NG: 1.6 }[verdict] * (0.8 + 0.4 * random());
  const region = { box: { x: 100, y: 80, width: 60, height: 40 }, area: 1800, peak: score };
  return {
    id,
    part_type: partType,
    serial,
    at,
    verdict,
    image: { width: 1280, height: 720, format: 'jpeg', bytes: 180_000, sha256: id.padEnd(64, '0').toLowerCase() },
    findings: [
      {
        node: '6f1c2d3e4b5a6978',
        milliseconds: { decode: 11.2, extract: 48.3, search: 9.1, total: 70.4 },
        kind: 'anomaly',
        model: { name: partType, version: '3' },
        score,
        normalizedScore: score,
        thresholds: { accept: 0.8, reject: 1.2 },
        regions: verdict === 'OK' ? [] : [region, region, region],
        map: { url: `/inspection/api/inspections/${id}/map`, width: 320, height: 180 },
      },
    ],
    decision: {
      verdict,
      confidence: random(),
      reasons: [{ OK: 'score-below-accept', REVIEW: 'score-between-thresholds', NG: 'score-above-reject' }[verdict]],
      by: 'model',
      thresholds: { accept: 0.8, reject: 1.2 },
      at,
    },
    path: `images/${at.slice(0, 10).replaceAll('-', '/')}/${verdict.toLowerCase()}/${id}.jpg`,
  };
}

function drawItem(part: Part, random: Random, nextDecision: () => number) {
  const chance = random();
  const state = STATES.find(([, end]) => chance <= end)![0];
  const decided = state !== 'pending';
  const labelled = decided && state !== 'skipped';
  const reviewer = pick(REVIEWERS, random());
  const judged = state === 'approved' || state === 'rejected';
  const first = pick(QUEUE_REASONS, random() ** 3);
  const second = pick(QUEUE_REASONS, random());
  return {
    ...part,
    state,
    queue_reasons: first === second || random() < 0.5 ? [first] : [first, second],
    information: random(),
    label: labelled ? (random() < 0.8 ? 'OK' : 'NG') : null,
    reviewer: decided ? reviewer : null,
    decided_at: decided ? part.at : null,
    decision_order: decided ? nextDecision() : null,
    approver: judged ? pick(REVIEWERS, random()) : null,
  };
}

function pick<Item>(items: readonly Item[], place: number): Item {
  return items[Math.min(items.length - 1, Math.floor(place * items.length))];
}

const INSERT_INSPECTIONS = `
  insert into inspections (id, station, route, part_type, serial, captured_at, deadline_at, settled_at, state, verdict,
    fail_safe, delivered, picture_path, picture_bytes, trigger, image, quality, findings, decision)
  select value ->> 'id', 'station-1', 'tab-1', value ->> 'part_type', value ->> 'serial', value ->> 'at', value ->> 'at',
    value ->> 'at', 'settled', value ->> 'verdict', 0, 1, value ->> 'path', 180000, '{"source":"plc","sequence":1}',
    value -> 'image', '{"passed":true,"brightness":0.51,"contrast":0.23,"sharpness":0.8}', value -> 'findings',
    value -> 'decision'
  from json_each(?)`;

const INSERT_ITEMS = `
  insert into review_items (id, state, part_type, serial, line_verdict, reasons, queue_reasons, information, findings,
    label, reviewer, labelled_by, created_at, decided_at, decision_order, approver, approved_at)
  select value ->> 'id', value ->> 'state', value ->> 'part_type', value ->> 'serial', value ->> 'verdict',
    value -> '$.decision.reasons', value -> 'queue_reasons', value ->> 'information', value -> 'findings',
    value ->> 'label', value ->> 'reviewer', lower(value ->> 'reviewer'), value ->> 'at', value ->> 'decided_at',
    value ->> 'decision_order', value ->> 'approver', iif(value ->> 'approver' is null, null, value ->> 'at')
  from json_each(?)`;

const INSERT_LABELS = `
  insert into labels (id, part_type, label, reviewer, at)
  select value ->> 'id', value ->> 'part_type', value ->> 'label', value ->> 'reviewer', value ->> 'at'
  from json_each(?)`;
