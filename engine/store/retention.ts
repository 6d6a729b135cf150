import type { Knex } from 'knex';
import { timestamp, VERDICTS, type Verdict } from '../domain';
import type { Database } from './database';
import type { InspectionTable, PictureStore, RetentionPolicy, RetentionResult } from './types';

interface KeptPicture {
  readonly id: string;
  readonly captured_at: string;
  readonly picture_path: string;
  readonly picture_bytes: number;
}

const BATCH = 500;
const DAY_MS = 86_400_000;
/** Days of heat maps looked through in one run. */
const MAP_DAYS = 8;

/** Removes pictures by age and by space. */
export class Retention {
  private readonly searchedDays = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly pictures: PictureStore,
    private readonly inspections: Pick<InspectionTable, 'withPicture'>,
  ) {}

  /** See `Store.applyRetention`. */
  async apply(policy: RetentionPolicy, now: number): Promise<RetentionResult> {
    let pictures = 0;
    let bytes = 0;
    for (const verdict of VERDICTS) {
      const { days, bytes: allowed } = policy[verdict];
      const oldest = days === null ? '' : timestamp(now - days * DAY_MS);
      let excess = allowed === null ? 0 : (await this.bytesKept(verdict)) - allowed;
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
    await this.removeStrayMaps(now);
    return { pictures, bytes };
  }

  /**
   * Removes the heat maps of inspections without a picture: those whose picture could not be saved, and what a crash
   * left. Looks through each day once, some days a run.
   */
  private async removeStrayMaps(now: number): Promise<void> {
    const days = (await this.pictures.mapDays()).filter((day) => isOver(day, now) && !this.searchedDays.has(day));
    for (const day of days.slice(0, MAP_DAYS)) {
      const ids = await this.pictures.mapsOf(day);
      for (let from = 0; from < ids.length; from += BATCH) {
        const batch = ids.slice(from, from + BATCH);
        const shown = await this.inspections.withPicture(batch);
        for (const id of batch) if (!shown.has(id)) await this.pictures.removeMaps(id);
      }
      await this.pictures.removeEmptyFolders(day);
      this.searchedDays.add(day);
    }
  }

  /** The file goes first: a crash in between leaves a record that the next run finishes, and never a lost file. */
  private async remove(surplus: readonly KeptPicture[], now: number): Promise<void> {
    if (surplus.length === 0) return;
    for (const { id, picture_path: path } of surplus) {
      await this.pictures.remove(path);
      await this.pictures.removeMaps(id);
    }
    const ids = surplus.map((picture) => picture.id);
    await this.database.write((transaction) =>
      transaction('inspections').whereIn('id', ids).update({ picture_path: null, picture_bytes: 0 }),
    );
    const days = new Set(surplus.map((picture) => picture.captured_at.slice(0, 10)));
    for (const day of days) if (isOver(day, now)) await this.pictures.removeEmptyFolders(day);
  }

  private async oldestKept(verdict: Verdict): Promise<readonly KeptPicture[]> {
    return this.database.read((knex) =>
      removable(knex, verdict).orderBy('id').limit(BATCH).select('id', 'captured_at', 'picture_path', 'picture_bytes'),
    );
  }

  private async bytesKept(verdict: Verdict): Promise<number> {
    const row: { bytes: number | string | null } | undefined = await this.database.read(
      (knex) => removable(knex, verdict).sum({ bytes: 'picture_bytes' }).first() as never,
    );
    return Number(row?.bytes ?? 0);
  }
}

/** Pictures that no person has labelled, none is waiting to see, and no snapshot has taken. */
function removable(knex: Knex, verdict: Verdict): Knex.QueryBuilder {
  return knex('inspections')
    .where({ verdict })
    .whereNotNull('picture_path')
    .whereNotExists(knex('labels').whereRaw('labels.id = inspections.id'))
    .whereNotExists(
      knex('review_items')
        .whereRaw('review_items.id = inspections.id')
        .where((item) =>
          item.whereIn('review_items.state', ['pending', 'rejected']).orWhereNotNull('review_items.used_for_training'),
        ),
    );
}

/** True when nothing is stored for a day any more, by any clock a little off. */
function isOver(day: string, now: number): boolean {
  return day < timestamp(now - DAY_MS).slice(0, 10);
}
