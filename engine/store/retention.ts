import { timestamp, VERDICTS, type Verdict } from '../domain';
import type { Database } from './database';
import type { PictureStore, PictureUsage, RetentionPolicy, RetentionResult } from './types';

interface KeptPicture {
  readonly id: string;
  readonly captured_at: string;
  readonly picture_path: string;
  readonly picture_bytes: number;
}

const BATCH = 500;
const DAY_MS = 86_400_000;

/** Removes pictures by age and by space. */
export class Retention {
  constructor(
    private readonly database: Database,
    private readonly pictures: PictureStore,
  ) {}

  /** See `Store.applyRetention`. */
  async apply(policy: RetentionPolicy, now: number): Promise<RetentionResult> {
    let pictures = 0;
    let bytes = 0;
    for (const verdict of VERDICTS) {
      const { days, bytes: allowed } = policy[verdict];
      const oldest = days === null ? '' : timestamp(now - days * DAY_MS);
      let excess = allowed === null ? 0 : (await this.kept(verdict)).bytes - allowed;
      for (let batch = await this.oldestKept(verdict); batch.length > 0; batch = await this.oldestKept(verdict)) {
        const surplus: KeptPicture[] = [];
        for (const picture of batch) {
          if (picture.captured_at >= oldest && excess <= 0) break;
          surplus.push(picture);
          excess -= picture.picture_bytes;
        }
        await this.remove(surplus, now);
        pictures += surplus.length;
        bytes += surplus.reduce((sum, picture) => sum + picture.picture_bytes, 0);
        if (surplus.length < BATCH) break;
      }
    }
    return { pictures, bytes };
  }

  /** See `Store.usage`. */
  async usage(): Promise<Record<Verdict, PictureUsage>> {
    const usage = await Promise.all(
      VERDICTS.map(async (verdict) => [verdict, await this.kept(verdict, true)] as const),
    );
    return Object.fromEntries(usage) as Record<Verdict, PictureUsage>;
  }

  /** The file goes first: a crash in between leaves a record that the next run finishes, and never a lost file. */
  private async remove(surplus: readonly KeptPicture[], now: number): Promise<void> {
    if (surplus.length === 0) return;
    const yesterday = timestamp(now - DAY_MS).slice(0, 10);
    for (const { id, picture_path: path } of surplus) {
      await this.pictures.remove(path);
      await this.pictures.removeMaps(id);
    }
    const ids = surplus.map((picture) => picture.id);
    await this.database.write((transaction) =>
      transaction('inspections').whereIn('id', ids).update({ picture_path: null, picture_bytes: 0 }),
    );
    const days = new Map(surplus.map((picture) => [picture.captured_at.slice(0, 10), picture.picture_path]));
    for (const [day, path] of days) if (day < yesterday) await this.pictures.removeEmptyFolders(path);
  }

  private async oldestKept(verdict: Verdict): Promise<readonly KeptPicture[]> {
    return this.database.read((knex) =>
      knex('inspections')
        .where({ verdict })
        .whereNotNull('picture_path')
        .whereNotExists(knex('labels').whereRaw('labels.id = inspections.id'))
        .orderBy('id')
        .limit(BATCH)
        .select('id', 'captured_at', 'picture_path', 'picture_bytes'),
    );
  }

  private async kept(verdict: Verdict, withLabelled = false): Promise<PictureUsage> {
    const row: { pictures: number | string; bytes: number | string | null } | undefined = await this.database.read(
      (knex) => {
        const query = knex('inspections').where({ verdict }).whereNotNull('picture_path');
        if (!withLabelled) query.whereNotExists(knex('labels').whereRaw('labels.id = inspections.id'));
        return query.count({ pictures: '*' }).sum({ bytes: 'picture_bytes' }).first() as never;
      },
    );
    return { pictures: Number(row?.pictures ?? 0), bytes: Number(row?.bytes ?? 0) };
  }
}
