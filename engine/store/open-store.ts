import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, makeFolder, systemClock } from '../domain';
import { SqlAdmissionTable } from './admission-table';
import { SqlAuditTable } from './audit-table';
import { SqlAuditedTable } from './audited-table';
import { SqlComparisonTable } from './comparison-table';
import { Database } from './database';
import { SqlDeploymentTable } from './deployment-table';
import { SqlEmbeddingTable } from './embedding-table';
import { StoreUnavailable, storeError } from './errors';
import { lockFolder } from './folder-lock';
import { SqlGateReportTable } from './gate-report-table';
import { SqlImportedTable } from './imported-table';
import { SqlInspectionTable } from './inspection-table';
import { SqlJobTable } from './job-table';
import { SqlLabelTable } from './label-table';
import { SqlModelNoteTable } from './model-note-table';
import { FilePictureStore } from './picture-store';
import { SqlRemovedModelTable } from './removed-model-table';
import { Retention } from './retention';
import { SqlRetrainingTable } from './retraining-table';
import { SqlReviewTable } from './review-table';
import { SqlSettingsTable } from './settings-table';
import { SqlShadowTable } from './shadow-table';
import { SqlSnapshotTable } from './snapshot-table';
import type { Store, StoreOptions } from './types';

/**
 * Opens a data folder: makes the folder where it is missing, keeps other stations out of it and brings the database up
 * to date.
 *
 * @throws {StoreUnavailable} when the folder is read-only, full, in use or no folder, or the database is locked,
 *   damaged or newer than this code
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataFolder, databaseFile = 'inspection.sqlite', busyTimeoutMs = 500, secondPerson = false } = options;
  const clock: Clock = options.clock ?? systemClock;
  await prepareFolder(dataFolder);
  const unlock = await lockFolder(dataFolder, options.lockWaitMs ?? 2000);
  const database = await Database.open(dataFolder, join(dataFolder, databaseFile), busyTimeoutMs).catch(
    async (error) => {
      await unlock();
      throw error;
    },
  );

  const pictures = new FilePictureStore(dataFolder);
  const inspections = new SqlInspectionTable(database);
  const retention = new Retention(database, pictures, inspections);
  let closing: Promise<void> | undefined;
  return {
    dataFolder,
    inspections,
    reviews: new SqlReviewTable(database, clock),
    admissions: new SqlAdmissionTable(database),
    embeddings: new SqlEmbeddingTable(database),
    audited: new SqlAuditedTable(database, secondPerson),
    labels: new SqlLabelTable(database, secondPerson),
    snapshots: new SqlSnapshotTable(database, secondPerson),
    imported: new SqlImportedTable(database),
    settings: new SqlSettingsTable(database, clock),
    audit: new SqlAuditTable(database),
    jobs: new SqlJobTable(database),
    retraining: new SqlRetrainingTable(database, secondPerson),
    deployments: new SqlDeploymentTable(database),
    gateReports: new SqlGateReportTable(database),
    modelNotes: new SqlModelNoteTable(database),
    removedModels: new SqlRemovedModelTable(database),
    comparisons: new SqlComparisonTable(database),
    shadows: new SqlShadowTable(database),
    pictures,
    applyRetention: (policy, now) => retention.apply(policy, now),
    close: () => {
      closing ??= database.close().finally(unlock);
      return closing;
    },
  };
}

async function prepareFolder(dataFolder: string): Promise<void> {
  const probe = join(dataFolder, `.probe-${process.pid}`);
  try {
    for (const folder of ['images', 'maps', 'models']) await makeFolder(join(dataFolder, folder));
    await writeFile(probe, 'probe');
  } catch (error) {
    // some file systems (/proc) answer ENOENT when nothing can be made in them
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw cannotBeMade(dataFolder, error);
    throw storeError(error, dataFolder);
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}

function cannotBeMade(dataFolder: string, cause: unknown): StoreUnavailable {
  const message = `The data folder ${dataFolder} cannot be made. Choose another folder.`;
  return new StoreUnavailable('read-only', message, { folder: dataFolder }, cause);
}
