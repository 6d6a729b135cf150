import type { AuditEntry, DeploymentRecord, Job } from '../domain';

/** What this room needs of the store. */
export interface LearningStore {
  readonly jobs: {
    insert(job: Job): Promise<void>;
    update(job: Job): Promise<void>;
    get(id: string): Promise<Job | null>;
    /** Newest first. */
    list(): Promise<readonly Job[]>;
  };
  readonly deployments: {
    current(partType: string): Promise<DeploymentRecord | null>;
    add(record: DeploymentRecord): Promise<void>;
    /** Newest first. */
    history(partType: string): Promise<readonly DeploymentRecord[]>;
  };
  readonly labels: {
    /** `picturePath` is relative to the data folder, with forward slashes. */
    labelledPictures(partType: string, label: 'OK' | 'NG'): Promise<readonly { id: string; picturePath: string }[]>;
  };
  readonly audit: { add(entry: Omit<AuditEntry, 'id'>): Promise<unknown> };
}
