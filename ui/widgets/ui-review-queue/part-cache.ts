import type { Api } from '../../shared/api';
import type { NearestPicture } from '../../shared/nearest';
import type { PartSource } from '../../shared/part';
import type { ReviewItem } from '../../shared/types';
import { isProblem } from '../../shared/widget';

const KEPT = 8;

interface Entry {
  inspection?: Promise<PartSource>;
  nearest?: Promise<NearestPicture | null>;
  /** Held, so that the browser keeps them decoded. */
  readonly pictures: HTMLImageElement[];
}

/** What is shown of a part besides its item, asked for once and before it is needed. */
export class PartCache {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly api: Api) {}

  inspection(id: string): Promise<PartSource> {
    const entry = this.#entry(id);
    entry.inspection ??= this.#kept(id, this.api.get<PartSource>(`/inspections/${encodeURIComponent(id)}`));
    return entry.inspection;
  }

  /** Null when the model keeps no pictures, or none looked at the part. */
  nearest(id: string): Promise<NearestPicture | null> {
    const entry = this.#entry(id);
    entry.nearest ??= this.#kept(
      id,
      this.api.get<NearestPicture>(`/inspections/${encodeURIComponent(id)}/nearest`).catch((error: unknown) => {
        if (isProblem(error, 404)) return null;
        throw error;
      }),
    );
    return entry.nearest;
  }

  /** Fetches all that will be shown of an item, pictures too. Failures are told when it is shown. */
  preload({ id, findings, ...links }: ReviewItem): void {
    const entry = this.#entry(id);
    this.inspection(id).catch(() => undefined);
    if (entry.pictures.length > 0) return;
    const path = `/inspections/${encodeURIComponent(id)}`;
    entry.pictures.push(imageOf(this.api.url(`${path}/picture`)));
    if ((links as { map?: string | null }).map || findings.some((one) => one.kind === 'anomaly' && one.map)) {
      entry.pictures.push(imageOf(this.api.url(`${path}/map`)));
    }
    if (!findings.some(({ kind }) => kind === 'anomaly')) return;
    this.nearest(id).then(
      (found) => {
        if (found?.source.pictureUrl) entry.pictures.push(imageOf(found.source.pictureUrl));
      },
      () => undefined,
    );
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id) ?? { pictures: [] };
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > KEPT) this.#entries.delete(oldest);
    return entry;
  }

  /** What failed is asked for again the next time. */
  #kept<Answer>(id: string, answer: Promise<Answer>): Promise<Answer> {
    answer.catch(() => this.#entries.delete(id));
    return answer;
  }
}

function imageOf(address: string): HTMLImageElement {
  const image = new Image();
  image.src = address;
  image.decode().catch(() => undefined);
  return image;
}
