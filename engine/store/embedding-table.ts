import type { EmbeddingTable, StoredEmbedding } from './admission-types';
import type { Database } from './database';

interface Row {
  readonly id: string;
  readonly part_type: string;
  readonly space: string;
  readonly model_name: string;
  readonly model_version: string;
  /** float32, little-endian. */
  readonly vector: Buffer;
}

export class SqlEmbeddingTable implements EmbeddingTable {
  constructor(private readonly database: Database) {}

  async add({ id, partType, space, model, vector }: StoredEmbedding): Promise<void> {
    const row: Row = {
      id,
      part_type: partType,
      space,
      model_name: model.name,
      model_version: model.version,
      vector: Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
    };
    await this.database.write((transaction) => transaction('review_embeddings').insert(row).onConflict('id').ignore());
  }

  async list(
    partType: string,
    space: string,
    limit: number,
  ): Promise<readonly Pick<StoredEmbedding, 'id' | 'vector'>[]> {
    const rows: Pick<Row, 'id' | 'vector'>[] = await this.database.read((knex) =>
      knex<Row>('review_embeddings')
        .where({ part_type: partType, space })
        .orderBy('id', 'desc')
        .limit(limit)
        .select('id', 'vector'),
    );
    return rows.reverse().map(({ id, vector }) => ({ id, vector: new Float32Array(Uint8Array.from(vector).buffer) }));
  }

  async waiting(ids: readonly string[]): Promise<number> {
    const rows: { items: number | string }[] = await this.database.read(
      (knex) =>
        knex('review_items')
          .whereIn('id', [...ids])
          .where({ state: 'pending' })
          .count({ items: '*' }) as never,
    );
    return Number(rows[0].items);
  }
}
