import type { Inspection, Job, ModelVersion, TrainingRequest, Verdict } from '../../engine/domain';
import { TRAINING_LIMIT_MS } from './jobs';
import { waitFor } from './wait';

export interface UploadAnswer {
  readonly id: string;
  readonly status: 'auto_validated' | 'pending_review';
  readonly verdict: Verdict;
  readonly confidence: number;
  readonly threshold_used: number | null;
  readonly reasons: readonly string[];
  readonly score: number | null;
}

/** An inspection as the list gives it. */
export interface InspectionSummary {
  readonly id: string;
  readonly partType: string;
  readonly serial: string | null;
  readonly verdict: Verdict | null;
  readonly by: 'model' | 'human' | 'failsafe' | null;
  readonly reasons: readonly string[];
  readonly score: number | null;
}

/** A client of the HTTP API, as an outside program would write it. */
export class InspectionApi {
  readonly root: string;

  constructor(base: string) {
    this.root = `${base}/inspection/api`;
  }

  async get<T>(path: string): Promise<T> {
    return this.request<T>(path, {});
  }

  async post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.send<T>('POST', path, body);
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PUT', path, body);
  }

  async upload(picture: Buffer, query: Record<string, string>): Promise<UploadAnswer> {
    return this.request<UploadAnswer>(`/upload/?${new URLSearchParams(query)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(picture),
    });
  }

  /** All inspections that match, newest first. */
  async inspections(query: Record<string, string> = {}): Promise<InspectionSummary[]> {
    const items: InspectionSummary[] = [];
    let cursor: string | null = null;
    do {
      const parameters = new URLSearchParams({ limit: '100', ...query, ...(cursor === null ? {} : { cursor }) });
      const page: { items: InspectionSummary[]; nextCursor: string | null } = await this.get(
        `/inspections?${parameters}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return items;
  }

  async inspection(id: string): Promise<Inspection> {
    return this.get(`/inspections/${id}`);
  }

  /** Trains, waits for the end and returns the job; its state tells how it went. */
  async train(request: TrainingRequest): Promise<Job> {
    const { id } = await this.post<Job>('/training/start', request);
    return waitFor(
      `training job ${id}`,
      async () => {
        const job = await this.get<Job>(`/training/jobs/${id}`);
        return job.state !== 'queued' && job.state !== 'running' && job;
      },
      TRAINING_LIMIT_MS,
    );
  }

  async deployedModel(partType: string): Promise<ModelVersion | undefined> {
    const { items } = await this.get<{ items: ModelVersion[] }>(`/models/list?partType=${partType}`);
    return items.find(({ deployed }) => deployed);
  }

  private send<T>(method: string, path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    return this.request<T>(path, { method, headers, body: JSON.stringify(body) });
  }

  private async request<T>(path: string, { headers, ...init }: RequestInit): Promise<T> {
    // each on a connection of its own: one that was kept may be closed by the server just when the next request is sent
    const response = await fetch(`${this.root}${path}`, { ...init, headers: { ...headers, connection: 'close' } });
    const body = await response.json();
    if (!response.ok) throw new Error(`${response.status} ${response.url}: ${JSON.stringify(body)}`);
    return body as T;
  }
}
