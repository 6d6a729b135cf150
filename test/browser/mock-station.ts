/**
 * A station for browser tests: answers the HTTP API from memory, with real pictures, and can be told to fail, to push
 * events and to go away. What it answers has the shapes of the API document.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import sharp from 'sharp';
import type {
  AnomalyDetails,
  BankDetails,
  ClassifierDetails,
  DetectorDetails,
  ModelDetails,
  ReferenceDetails,
} from '../../engine/api/model-details';
import type { BackboneState } from '../../engine/catalogue/backbone-state';
import {
  type AuditEntry,
  type Finding,
  type Job,
  type Label,
  type ModelVersion,
  newId,
  type ReviewItem,
  type RoutingSettings,
  seededRandom,
  type Thresholds,
  type Verdict,
} from '../../engine/domain';
import { simulatePart } from '../../engine/simulator';
import { calibrate } from '../../engine/statistics';
import { waitFor } from '../support/wait';
import { MockLoop } from './mock-loop';
import { MockProblem, MockReview } from './mock-review';

export interface MockInspection {
  readonly id: string;
  readonly partType: string;
  readonly serial: string | null;
  readonly capturedAt: string;
  readonly verdict: Verdict;
  readonly by: 'model' | 'failsafe';
  readonly reasons: readonly string[];
  readonly score: number | null;
  readonly findings: readonly Finding[];
  readonly audit: boolean;
}

interface Failure {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const THRESHOLDS: Thresholds = { accept: 1.8, reject: 2.4 };
const SIZE = { width: 1280, height: 720 };

interface MockPicture {
  readonly picture: Buffer;
  readonly map: Buffer;
  readonly box: { x: number; y: number; width: number; height: number };
}

let pictures: Promise<readonly MockPicture[]> | undefined;

/** Parts with one defect each, drawn once for all tests, with a map that glows where the defect is. */
function mockPictures(): Promise<readonly MockPicture[]> {
  pictures ??= Promise.all([7, 8, 12].map(drawPicture));
  return pictures;
}

async function drawPicture(seed: number): Promise<MockPicture> {
  const part = await simulatePart({ product: 'plate', seed, defectRate: 1, ...SIZE });
  const box = part.truth.defects[0].box;
  const glow = `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="90"><defs><radialGradient id="g">
    <stop offset="0" stop-color="#fff"/><stop offset=".5" stop-color="#888"/><stop offset="1" stop-color="#000"/>
    </radialGradient></defs><rect width="160" height="90" fill="#060606"/><ellipse fill="url(#g)"
    cx="${(box.x + box.width / 2) / 8}" cy="${(box.y + box.height / 2) / 8}"
    rx="${Math.max(6, box.width / 9)}" ry="${Math.max(6, box.height / 9)}"/></svg>`;
  const map = await sharp(Buffer.from(glow)).greyscale().png().toBuffer();
  return { picture: part.picture, map, box };
}

export class MockStation {
  readonly inspections: MockInspection[] = [];
  readonly review = new MockReview((item) => this.push('review', item));
  readonly versions: ModelVersion[] = [];
  readonly jobs: Job[] = [];
  backbones: BackboneState[] = [];
  readonly routing = new Map<string, RoutingSettings>();
  readonly audit: AuditEntry[] = [];
  /** Requests so far, `METHOD path`, with their JSON bodies. */
  readonly requests: { readonly line: string; readonly body: unknown }[] = [];
  faults: { code: string; message: string; parameters?: Record<string, string>; at: string }[] = [];
  okPictures = 42;
  classes: readonly string[] = [];
  /** What the details of a version say beyond what every version has; keyed by version. */
  readonly details = new Map<string, Partial<BankDetails>>();
  /** Detectors and classifiers; `addOther` lists them too. */
  readonly others: (DetectorDetails | ClassifierDetails)[] = [];
  boxedPictures = 0;
  trainers: readonly string[] = ['built-in'];
  /** Versions that compare with golden pictures. */
  readonly references = new Map<string, ReferenceDetails['reference']>();
  /** The pictures say by EXIF that they are to be turned by 90 degrees, as a phone's do. */
  turned = false;
  /** While true every request is cut off. */
  offline = false;
  readonly #failures: { readonly match: RegExp; readonly failure: Failure }[] = [];
  readonly #streams = new Set<ServerResponse>();
  /** Data sets, gates, models and retrainings. */
  readonly loop = new MockLoop(this);

  constructor() {
    this.reset();
  }

  #clock = Date.parse('2026-03-10T08:00:00Z');

  /** Encoded pictures that were posted. */
  readonly uploads: Buffer[] = [];

  /** Back to a station that has seen nothing. */
  reset(): void {
    this.offline = false;
    this.cut();
    for (const list of [this.inspections, this.versions, this.jobs, this.audit, this.requests]) {
      list.length = 0;
    }
    for (const list of [this.uploads, this.others, this.#failures]) list.length = 0;
    this.review.reset();
    this.loop.reset();
    this.routing.clear();
    this.details.clear();
    this.faults = [];
    this.turned = false;
    this.okPictures = 42;
    this.boxedPictures = 0;
    this.trainers = ['built-in'];
    this.classes = ['scratch', 'dent', 'stain'];
    this.backbones = mockBackbones();
  }

  /** The last request with this `METHOD path`, once it came. */
  async request(match: RegExp): Promise<{ readonly line: string; readonly body: unknown }> {
    const last = () => this.requests.findLast(({ line }) => match.test(line));
    return waitFor(`a request ${match}`, last).catch((error: Error) => {
      throw new Error(`${error.message}; there were ${this.requests.map(({ line }) => line).join(', ')}`);
    });
  }

  /** The next request whose `METHOD path` matches fails. */
  failNext(match: RegExp, failure: Failure): void {
    this.#failures.push({ match, failure });
  }

  push(event: string, data: unknown): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Cuts all event streams, and refuses new ones while offline. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  get streams(): number {
    return this.#streams.size;
  }

  async addInspection(
    verdict: Verdict,
    more: Partial<MockInspection> & { failSafe?: boolean } = {},
  ): Promise<MockInspection> {
    const drawn = (await mockPictures())[this.inspections.length % 3];
    const score = { OK: 1.21, REVIEW: 2.07, NG: 3.46 }[verdict];
    const reasons = { OK: 'score-below-accept', REVIEW: 'score-between-thresholds', NG: 'score-above-reject' }[verdict];
    const anomaly: Finding = {
      kind: 'anomaly',
      node: 'infer',
      model: { name: 'plate', version: '3' },
      milliseconds: { decode: 9, extract: 31, search: 12, map: 2, total: 54 },
      score,
      normalizedScore: score / THRESHOLDS.reject,
      thresholds: THRESHOLDS,
      regions: verdict === 'OK' ? [] : [{ box: drawn.box, area: drawn.box.width * drawn.box.height, peak: score }],
      map: { url: 'map', width: 160, height: 90 },
    };
    const failure: Finding = {
      kind: 'failure',
      node: 'infer',
      milliseconds: { total: 3 },
      reason: 'no-model',
      message: 'No model is deployed for part type plate. Train one or deploy a version on the Train page.',
    };
    this.#clock += 4_000;
    const inspection: MockInspection = {
      id: newId(),
      partType: 'plate',
      serial: `A-${10_400 + this.inspections.length}`,
      capturedAt: new Date(this.#clock).toISOString(),
      verdict,
      by: more.failSafe ? 'failsafe' : 'model',
      reasons: more.failSafe ? ['no-model'] : [reasons],
      score: more.failSafe ? null : score,
      findings: more.failSafe ? [failure] : [anomaly],
      audit: false,
      ...more,
    };
    this.inspections.unshift(inspection);
    return inspection;
  }

  /** A finished inspection, told to the widgets. */
  async settle(verdict: Verdict, more: Parameters<MockStation['addInspection']>[1] = {}): Promise<MockInspection> {
    const inspection = await this.addInspection(verdict, more);
    this.push('inspection', this.#detail(inspection));
    return inspection;
  }

  async addReview(
    verdict: Verdict = 'REVIEW',
    reasons: ReviewItem['reasons'] = [],
    more: Partial<MockInspection> = {},
    queued: Partial<ReviewItem> = {},
  ): Promise<ReviewItem> {
    const inspection = await this.addInspection(verdict, more);
    const item: ReviewItem = {
      id: inspection.id,
      state: 'pending',
      partType: inspection.partType,
      serial: inspection.serial ?? undefined,
      reasons: reasons.length > 0 ? reasons : (inspection.reasons as ReviewItem['reasons']),
      lineVerdict: verdict,
      findings: inspection.findings,
      label: null,
      boxes: null,
      reviewer: null,
      note: null,
      createdAt: inspection.capturedAt,
      decidedAt: null,
      queueReasons: [],
      information: 0.5,
      similarTo: null,
      modelMistake: false,
      approver: null,
      approvalNote: null,
      approvedAt: null,
      usedForTraining: null,
      lock: null,
      ...queued,
    };
    this.reviews.push(item);
    return item;
  }

  /** All items of the review, in whatever state. */
  get reviews(): ReviewItem[] {
    return this.review.items;
  }

  /** As if another client had decided. */
  decide(
    id: string,
    label: Label,
    reviewer: string | null,
    note: string | null = null,
    boxes: ReviewItem['boxes'] = null,
  ): ReviewItem | undefined {
    return this.review.decide(id, { label, reviewer, note, boxes });
  }

  addVersion(version: string, deployed: boolean, partType = 'plate'): void {
    this.#clock += 86_400_000;
    this.versions.push({
      name: partType,
      version,
      kind: 'patchcore',
      partType,
      createdAt: new Date(this.#clock).toISOString(),
      deployed,
      pictures: { bank: 120 + Number(version) * 20, calibration: 40 },
      thresholds: { accept: THRESHOLDS.accept - 0.1 * Number(version), reject: THRESHOLDS.reject },
      bytes: 14_300_000,
      parent: null,
      notes: null,
      dataset: null,
      gate: null,
    });
    if (!this.routing.has(partType)) this.routing.set(partType, { partType, thresholds: null, auditShare: 0.02 });
  }

  /** What `GET /models/{name}/versions/{version}` answers. */
  describe(name: string, version: string): AnomalyDetails {
    const found = this.#anomalyDetails(name, version);
    if (found === undefined) throw new Error(`the test added no version ${version} of ${name}`);
    return found;
  }

  #versionDetails(name: string, version: string): ModelDetails | undefined {
    const other = this.others.find((one) => one.name === name && one.version === version);
    return other ?? this.#anomalyDetails(name, version);
  }

  #anomalyDetails(name: string, version: string): AnomalyDetails | undefined {
    const found = this.#bankDetails(name, version);
    const reference = this.references.get(version);
    if (found === undefined || reference === undefined) return found;
    const { dataset, calibration, metrics } = found;
    const { kind, partType, createdAt, deployed, pictures, thresholds, bytes, parent } = found;
    const summary = { name, version, kind, partType, createdAt, deployed, pictures, thresholds, bytes, parent };
    const { notes, gateReport } = found;
    return { ...summary, dataset, calibration, metrics, notes, gateReport, method: 'reference', reference };
  }

  #bankDetails(name: string, version: string): BankDetails | undefined {
    const summary = this.versions.find((one) => one.name === name && one.version === version);
    if (summary === undefined) return undefined;
    const { pictures, thresholds } = summary;
    if (thresholds === null) return undefined;
    return {
      ...summary,
      thresholds,
      method: 'bank',
      gateReport: null,
      dataset: { source: 'pictures labelled OK', count: pictures.bank, skipped: 0, defects: 24 },
      backbone: {
        id: 'starter',
        sha256: '0'.repeat(64),
        outputs: [8, 16].map((stride) => ({ stride, name: `stride${stride}` })),
      },
      input: { width: 288, height: 288, mode: 'stretch' },
      viewing: { roi: { x: 0.1, y: 0.05, width: 0.8, height: 0.9 }, tiles: null, mask: false },
      augmentation: { flip: false, rotation: 3, light: 0.1, shift: 0, copies: 2 },
      recipe: {
        moment: 'before',
        conditioning: 'whitening',
        dimension: 128,
        spacing: true,
        scoring: { method: 'top-mean', share: 0.01 },
        chosen: 'measured',
        trials: [
          { moment: 'after', conditioning: 'none', spacing: false, scoring: { method: 'max' }, auroc: 0.871 },
          {
            moment: 'after',
            conditioning: 'whitening',
            spacing: true,
            scoring: { method: 'top-mean', share: 0.01 },
            auroc: 0.903,
          },
          {
            moment: 'before',
            conditioning: 'whitening',
            spacing: true,
            scoring: { method: 'top-mean', share: 0.01 },
            auroc: 0.921,
          },
        ],
      },
      quantisation: null,
      bank: {
        pictures: pictures.bank,
        candidates: 98_000,
        size: 2000,
        radius: 3.2,
        storage: 'float32',
        reach: null,
        tiles: 'shared',
      },
      suspects: [],
      calibration: mockCalibration(thresholds, pictures.calibration),
      metrics: { 'seconds.extract': 12.4, 'seconds.coreset': 3.1 },
      ...this.details.get(version),
    };
  }

  addOther(details: DetectorDetails | ClassifierDetails): void {
    this.others.push(details);
    const { name, version, kind, partType, createdAt, deployed, pictures, thresholds } = details;
    const { classes, figures, accepted, bytes, parent } = details;
    const summary = { name, version, kind, partType, createdAt, deployed, pictures, thresholds, bytes, parent };
    this.versions.push({ ...summary, classes, figures, accepted, notes: details.notes, dataset: null, gate: null });
    if (!this.routing.has(partType)) this.routing.set(partType, { partType, thresholds: null, auditShare: 0.02 });
  }

  setBackbone(id: string, change: Partial<BackboneState>): BackboneState | undefined {
    const at = this.backbones.findIndex((backbone) => backbone.id === id);
    if (at < 0) return undefined;
    this.backbones[at] = { ...this.backbones[at], ...change };
    return this.backbones[at];
  }

  addJob(job: Partial<Job> & Pick<Job, 'state'>): Job {
    const whole: Job = {
      id: newId(),
      request: { partType: 'plate', source: { kind: 'labelled' }, deploy: true },
      progress: null,
      version: null,
      error: null,
      actor: 'local',
      createdAt: new Date().toISOString(),
      startedAt: null,
      endedAt: null,
      ...job,
    };
    this.jobs.push(whole);
    return whole;
  }

  setRouting(partType: string, change: Partial<RoutingSettings>, actor: string): RoutingSettings {
    const before = this.routing.get(partType) ?? { partType, thresholds: null, auditShare: 0 };
    const after = { ...before, ...change };
    this.routing.set(partType, after);
    const record = (action: string, old: unknown, now: unknown): void => {
      if (JSON.stringify(old) === JSON.stringify(now)) return;
      const at = new Date().toISOString();
      this.audit.push({ id: this.audit.length + 1, at, actor, action, subject: partType, before: old, after: now });
    };
    record('routing.thresholds', before.thresholds, after.thresholds);
    record('routing.auditShare', before.auditShare, after.auditShare);
    return after;
  }

  #detail(inspection: MockInspection): object {
    const { id, findings, verdict, by, reasons, audit, capturedAt } = inspection;
    return {
      ...this.#summary(inspection),
      station: 'station',
      trigger: { source: 'message' },
      deadlineAt: capturedAt,
      image: { ...SIZE, format: 'jpeg', bytes: 170_000, sha256: id },
      findings,
      decision: {
        verdict,
        confidence: 0.8,
        reasons,
        by,
        thresholds: by === 'model' ? THRESHOLDS : undefined,
        audit,
        at: capturedAt,
      },
    };
  }

  #summary(inspection: MockInspection): object {
    const { id, partType, serial, capturedAt, verdict, by, reasons, audit, score } = inspection;
    const thresholds = score === null ? null : THRESHOLDS;
    const base = `/inspection/api/inspections/${id}`;
    return {
      id,
      partType,
      serial,
      state: 'settled',
      capturedAt,
      settledAt: capturedAt,
      verdict,
      confidence: 0.8,
      by,
      reasons,
      audit,
      score,
      normalizedScore: score === null ? null : score / THRESHOLDS.reject,
      thresholds,
      ...SIZE,
      picture: `${base}/picture`,
      thumbnail: `${base}/picture?width=320`,
      map: score === null ? null : `${base}/map`,
    };
  }

  /** Express handler, mounted at the API's path. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      if (error instanceof MockProblem) problem(response, { ...error, detail: error.message });
      else problem(response, { status: 500, code: 'internal-error', detail: String(error) });
    });
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.offline) {
      request.socket.destroy();
      return;
    }
    const address = new URL(request.url ?? '/', 'http://mock');
    const line = `${request.method} ${address.pathname}`;
    if (line === 'GET /events') {
      this.#stream(request, response);
      return;
    }
    const json = request.headers['content-type'] === 'application/json';
    // Node-RED's admin application stands in front and has read JSON bodies already.
    const raw = json ? Buffer.alloc(0) : await bodyOf(request);
    const body = (json && (request as { body?: Record<string, unknown> }).body) || {};
    this.requests.push({ line, body: json ? body : raw.length });
    if (!json && raw.length > 0) this.uploads.push(raw);

    const failing = this.#failures.findIndex(({ match }) => match.test(line));
    if (failing >= 0) {
      problem(response, this.#failures.splice(failing, 1)[0].failure);
      return;
    }
    const picture = /^GET \/inspections\/(\w+)\/(picture|map)$/.exec(line);
    if (picture) await this.#picture(response, picture[1], picture[2], address.searchParams.get('width'));
    else this.#json(response, line, address.searchParams, body);
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    this.#streams.add(response);
    request.on('close', () => this.#streams.delete(response));
  }

  async #picture(response: ServerResponse, id: string, kind: string, width: string | null): Promise<void> {
    const at = this.inspections.findIndex((inspection) => inspection.id === id);
    if (at < 0) {
      problem(response, { status: 404, code: 'not-found', detail: 'There is no such picture.' });
      return;
    }
    const drawn = (await mockPictures())[(this.inspections.length - 1 - at) % 3];
    const original = this.turned
      ? await sharp(drawn.picture).withMetadata({ orientation: 6 }).toBuffer()
      : drawn.picture;
    const jpeg = width === null ? original : await sharp(drawn.picture).resize(Number(width)).jpeg().toBuffer();
    response.setHeader('content-type', kind === 'map' ? 'image/png' : 'image/jpeg');
    response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    response.end(kind === 'map' ? drawn.map : jpeg);
  }

  #json(response: ServerResponse, line: string, query: URLSearchParams, body: Record<string, unknown>): void {
    const refusal = this.loop.refuses(line, body);
    if (refusal !== undefined) {
      problem(response, { status: 409, code: 'not-now', detail: refusal });
      return;
    }
    const answer = this.#route(line, query, body);
    if (answer === undefined) {
      problem(response, { status: 404, code: 'not-found', detail: 'There is no such thing (any more).' });
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  }

  #route(line: string, query: URLSearchParams, body: Record<string, unknown>): unknown {
    const part = (pattern: RegExp): string | undefined => pattern.exec(line)?.[1];
    const page = (items: readonly unknown[]): object => ({
      items: items.slice(0, Number(query.get('limit') ?? 50)),
      nextCursor: null,
    });
    if (line === 'GET /health') {
      return { id: 'station', name: 'Line 1', state: this.faults.length > 0 ? 'degraded' : 'ok', faults: this.faults };
    }
    if (line === 'GET /inspections') return page(this.inspections.map((inspection) => this.#summary(inspection)));
    const inspectionId = part(/^GET \/inspections\/(\w+)$/);
    if (inspectionId) {
      const found = this.inspections.find(({ id }) => id === inspectionId);
      return found && this.#detail(found);
    }
    if (line === 'GET /counters') return this.#counters(query.get('since') === 'day' ? 5 : 1);
    const looped = this.loop.answer(line, query, body);
    if (looped !== undefined) return looped;
    const reviewed = this.review.answer(line, query, body);
    if (reviewed !== undefined) return reviewed;
    if (line === 'POST /upload/') return this.#upload();
    if (/^POST \/browser-cameras\//.test(line)) return {};
    if (/^GET \/part-types\/[\w-]+\/classes$/.test(line)) return { items: this.classes };
    if (line === 'GET /part-types') return { items: this.#partTypes() };
    if (line === 'GET /models/list')
      return { items: this.versions.filter((v) => v.partType === query.get('partType')) };
    const detailed = /^GET \/models\/([\w.-]+)\/versions\/([\w-]+)$/.exec(line);
    if (detailed) return this.#versionDetails(detailed[1], detailed[2]);
    const deployed = part(/^POST \/models\/([\w.-]+)\/deploy$/);
    if (deployed) return this.#deploy(deployed, body.version as string, 'deploy');
    const rolledBack = part(/^POST \/models\/([\w.-]+)\/rollback$/);
    if (rolledBack) return this.#deploy(rolledBack, '1', 'rollback');
    if (line === 'GET /backbones') return { items: this.backbones };
    const pulled = part(/^POST \/backbones\/([\w-]+)\/pull$/);
    if (pulled) return this.setBackbone(pulled, { state: 'pulling', received: 20_000_000 });
    if (line === 'GET /training/trainers') return { items: this.trainers };
    if (line === 'GET /training/jobs') return { items: this.jobs };
    if (line === 'POST /training/start')
      return this.addJob({ state: 'queued', request: body as unknown as Job['request'] });
    const cancelled = part(/^POST \/training\/jobs\/(\w+)\/cancel$/);
    if (cancelled) return this.#cancel(cancelled);
    const routed = part(/^PUT \/settings\/routing\/([\w-]+)$/);
    if (routed) return this.setRouting(routed, body as Partial<RoutingSettings>, 'Kim');
    if (line === 'GET /audit') return { items: [...this.audit].reverse() };
    return undefined;
  }

  #counters(times: number): object {
    const count = (verdict: Verdict): number =>
      this.inspections.filter((one) => one.verdict === verdict).length * times;
    const total = this.inspections.length * times;
    return {
      since: '2026-03-10T06:00:00Z',
      ok: count('OK'),
      ng: count('NG'),
      review: count('REVIEW'),
      failSafe: this.inspections.filter(({ by }) => by === 'failsafe').length * times,
      total,
      yield: total === 0 ? null : count('OK') / total,
    };
  }

  #upload(): object {
    const { id, verdict, reasons, score, partType, serial } = this.inspections[0];
    const status = verdict === 'REVIEW' ? 'pending_review' : 'auto_validated';
    return {
      id,
      status,
      verdict,
      confidence: 0.8,
      threshold_used: THRESHOLDS.reject,
      reasons,
      score,
      partType,
      serial,
    };
  }

  #partTypes(): object[] {
    return [...this.routing.values()].map((routing) => {
      const deployed = this.versions.find(
        ({ partType, deployed: on, kind }) => partType === routing.partType && on && kind === 'patchcore',
      );
      return {
        partType: routing.partType,
        deployedModel: deployed?.name ?? null,
        deployedVersion: deployed?.version ?? null,
        okPictures: this.okPictures,
        ngPictures: 7,
        boxedPictures: this.boxedPictures,
        routing,
        modelThresholds: deployed?.thresholds ?? null,
      };
    });
  }

  #deploy(name: string, version: string, action: string): object | undefined {
    if (!this.versions.some((one) => one.name === name && one.version === version)) return undefined;
    this.versions.forEach((one, index) => {
      if (one.name === name) this.versions[index] = { ...one, deployed: one.version === version };
    });
    return { partType: name, name, version, previousVersion: null, action, actor: 'Kim', at: new Date().toISOString() };
  }

  #cancel(id: string): Job | undefined {
    const at = this.jobs.findIndex((job) => job.id === id);
    if (at < 0) return undefined;
    this.jobs[at] = { ...this.jobs[at], state: 'cancelled', endedAt: new Date().toISOString() };
    return this.jobs[at];
  }
}

function mockBackbones(): BackboneState[] {
  const common = { licence: 'Apache-2.0', received: 0, error: null };
  return [
    {
      ...common,
      id: 'starter',
      title: 'Starter',
      input: { width: 288, height: 288 },
      embedded: true,
      bytes: 1_061_793,
      state: 'ready',
    },
    {
      ...common,
      id: 'resnet18',
      title: 'ResNet-18',
      input: { width: 224, height: 224 },
      embedded: false,
      bytes: 46_748_544,
      state: 'absent',
    },
  ];
}

/** Good scores around 1.2 and 24 defects around 2.9, judged by the real calibration, with levels of the mock. */
export function mockCalibration(thresholds: Thresholds, pictures: number): AnomalyDetails['calibration'] {
  const random = seededRandom(5);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const good = Array.from({ length: pictures }, () => 1.2 + 0.22 * gaussian());
  const defective = Array.from({ length: 24 }, () => 2.9 + 0.5 * gaussian());
  const wishes = { falseRejectRate: 0.01, reviewRate: 0.05, missRate: 0.01 };
  return { ...calibrate({ good, defective, method: 'cross-validated', folds: 5 }, wishes), thresholds };
}

function problem(response: ServerResponse, { status, code, detail, parameters }: Failure): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/problem+json');
  response.end(
    JSON.stringify({ type: `urn:problem-type:opti-quality:${code}`, title: code, status, detail, code, parameters }),
  );
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
