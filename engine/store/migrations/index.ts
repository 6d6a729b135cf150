import type { Knex } from 'knex';
import * as firstTables from './0001-first-tables';
import * as auditShareUnset from './0002-audit-share-unset';
import * as reviewNode from './0003-review-node';
import * as modelKinds from './0004-model-kinds';
import * as labelBoxes from './0005-label-boxes';
import * as reviewLoop from './0006-review-loop';
import * as datasets from './0007-datasets';
import * as retraining from './0008-retraining';
import * as modelRegistry from './0009-model-registry';
import * as reviewAdmission from './0010-review-admission';
import * as historyIndexes from './0011-history-indexes';
import * as reviewNotes from './0012-review-notes';
import * as pictureClasses from './0013-picture-classes';

interface Migration {
  readonly name: string;
  up(knex: Knex): Promise<void>;
}

/** All migrations in their order. Written ones never change; a new one is appended. None destroys data. */
export const migrations: readonly Migration[] = [
  { name: '0001-first-tables', up: firstTables.up },
  { name: '0002-audit-share-unset', up: auditShareUnset.up },
  { name: '0003-review-node', up: reviewNode.up },
  { name: '0004-model-kinds', up: modelKinds.up },
  { name: '0005-label-boxes', up: labelBoxes.up },
  { name: '0006-review-loop', up: reviewLoop.up },
  { name: '0007-datasets', up: datasets.up },
  { name: '0008-retraining', up: retraining.up },
  { name: '0009-model-registry', up: modelRegistry.up },
  { name: '0010-review-admission', up: reviewAdmission.up },
  { name: '0011-history-indexes', up: historyIndexes.up },
  { name: '0012-review-notes', up: reviewNotes.up },
  { name: '0013-picture-classes', up: pictureClasses.up },
];

/** The list as knex wants it. There is no way down: older code refuses a newer database instead. */
export const migrationSource: Knex.MigrationSource<Migration> = {
  getMigrations: async () => [...migrations],
  getMigrationName: (migration) => migration.name,
  getMigration: async (migration) => ({ up: migration.up, down: async () => {} }),
};
