import type { DetectorFacts } from '../../engine/detector';

/** What the package of a detector says that was not trained here. */
export const IMPORTED_DETECTOR: DetectorFacts = {
  name: 'plate.detector',
  version: '1',
  partType: 'plate',
  parent: null,
  base: null,
  level: 'imported',
  dataset: {
    source: 'made for a test',
    count: 0,
    skipped: 0,
    sha256: '0'.repeat(64),
    heldOut: 0,
    boxes: 0,
    replayed: 0,
  },
  training: null,
  evaluation: { before: null, after: null, oldClasses: null },
  gate: { accepted: true, reasons: [] },
  curve: [],
  metrics: {},
};
