import type { BackboneStore } from '../catalogue';
import type { Thresholds } from '../domain';
import type { Store } from '../store';
import type { ModelRegistry } from './model-registry';
import type { Snapshots } from './snapshots';

/** What trainings need of a station. */
export interface TrainingContext {
  readonly store: Pick<Store, 'dataFolder' | 'inspections' | 'labels' | 'pictures' | 'settings' | 'snapshots'>;
  readonly models: ModelRegistry;
  /** Where labelled pictures are taken from; of the store unless told. */
  readonly snapshots?: Pick<Snapshots, 'take' | 'files'>;
  /** Finds the file of a backbone by its id; without it only the embedded one is known. */
  readonly backbones?: Pick<BackboneStore, 'pathOf'>;
  /** The command of another trainer of detectors: the program and its arguments. Without it there is none. */
  readonly externalTrainer?: readonly string[];
  /** Thresholds of anomaly scores that the routers use where a part type has none; null, and unless told: the model's. */
  readonly routerThresholds?: () => Thresholds | null;
  /** SQLite file in the data folder; `inspection.sqlite` unless told. */
  readonly databaseFile?: string;
  /** Production pictures on which the gate compares decisions; 200 unless told. */
  readonly gatePictures?: number;
}
