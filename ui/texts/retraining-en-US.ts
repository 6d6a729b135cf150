import type { RetrainCause, RetrainOutcome, RetrainState } from '../shared/types';

const states: Record<RetrainState, string> = { idle: 'Nothing to do', waiting: 'Waits', running: 'Training' };
const causes: Record<RetrainCause, string> = {
  labels: 'new labels',
  drift: 'drift alarm',
  schedule: 'schedule',
  manual: 'by hand',
};
const outcomes: Record<RetrainOutcome, string> = {
  running: 'running',
  declined: 'not started',
  candidate: 'a candidate waits',
  deployed: 'in production',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
};

/** Texts about labelled pictures, trainings of their own accord, and jobs. */
export const retrainingEnUS = {
  retraining: {
    empty: 'No part type learns on by itself',
    emptyHint: 'Put a retrain-trigger node into the flow.',
    states,
    causes,
    outcomes,
    /** Of a candidate that was taken away. */
    removed: 'removed',
    trainNow: 'Train now',
    trainNowOf: (partType: string) => `Train “${partType}” now`,
    started: 'Training started.',
    notNow: (partType: string) => `“${partType}” should not be trained now.`,
    trainAnyway: 'Train all the same',
    never: 'Not trained by this node yet',
    last: (when: string, outcome: string) => `Last trained ${when}: ${outcome}`,
    lastVersion: (when: string, version: string, outcome: string) =>
      `Last trained ${when}: version ${version}, ${outcome}`,
    next: 'What would train next',
    history: 'Earlier trainings',
    progress: 'Progress of the training in percent',
    /** By the code of the reason; `__name__` is a gap. */
    reasons: {
      running: 'A training runs.',
      queued: 'A training waits for the one before it.',
      'labels-reached': 'New labels: __count__, enough for a training (from __needed__ on).',
      'labels-missing': 'New labels: __count__; at __needed__ a training starts.',
      'drift-waits': 'A drift alarm of __at__ waits.',
      'drift-waits-for-labels': 'There was a drift alarm (__at__), but no new label since: there is nothing to learn.',
      'schedule-waits': 'The training that was due __at__ waits.',
      'schedule-next': 'The next training is due __at__.',
      'nothing-new': 'There is no new label: there is nothing to learn.',
      'minimum-interval': 'The last training was less than __minutes__ min ago; from __until__ on the next may start.',
      'quiet-hours': 'Quiet hours (__timeZone__); from __until__ on a training may start.',
      'no-condition': 'No condition is set: only a person starts a training.',
      'labels-failed':
        'The last training with the new labels (__count__) came to nothing; another takes __missing__ more.',
      'drift-alarm': 'Because of a drift alarm (__at__).',
      'schedule-due': 'On schedule (__at__).',
      'schedule-missed': 'Caught up: it was due __at__, while Node-RED was off.',
      'asked-for': '__actor__ asked for it.',
      'candidate-waits': 'Version __version__ waits for a person.',
      'candidate-refused': 'The gate refused version __version__.',
      'candidate-measured': 'Version __version__ was measured.',
      deployed: 'Version __version__ is in production.',
      'removed-later': '__actor__ removed version __version__.',
      'restored-later': '__actor__ restored version __version__.',
      'deployed-later': '__actor__ put version __version__ into production.',
      'drift-starts': 'A drift alarm starts a training.',
      cancelled: 'It was cancelled.',
      interrupted: 'It was interrupted.',
      'interrupted-again': 'The station ended during the last training, which is done again.',
    } as Record<string, string>,
  },
  dataset: {
    title: (partType: string) => `Labelled pictures of “${partType}”`,
    ok: 'OK',
    ng: 'NG',
    boxes: 'Boxes',
    split: 'Learnt from / held out',
    splitText: (train: string, val: string) => `${train} / ${val}`,
    unused: 'Not used by a training yet',
    perClass: 'By class',
    ofClass: (boxes: number, pictures: number, count: (value: number) => string) =>
      boxes > 0
        ? `${boxes === 1 ? '1 box' : `${count(boxes)} boxes`} on ${pictures === 1 ? '1 picture' : `${count(pictures)} pictures`}`
        : pictures === 1
          ? '1 picture'
          : `${count(pictures)} pictures`,
    perMonth: 'Labels by month',
    sources: { review: 'Of these from the review', imported: 'Of these brought in' } as Record<string, string>,
    month: (ok: string, ng: string) => `${ok} OK, ${ng} NG`,
    snapshots: 'Snapshots',
    snapshotsHint: 'A snapshot holds pictures, labels and their split for ever; each training from labels uses one.',
    noSnapshots: 'None yet',
    take: 'Take a snapshot',
    taken: (count: string) => `Snapshot taken of ${count === '1' ? '1 picture' : `${count} pictures`}.`,
    counts: (ok: string, ng: string, boxes: string) =>
      `${ok} OK, ${ng} NG, ${boxes === '1' ? '1 box' : `${boxes} boxes`}`,
    hash: (hash: string) => `hash ${hash}`,
    export: (format: string) => `Export as ${format} (ZIP)`,
    remove: 'Delete',
    removeOf: (date: string) => `Delete the snapshot of ${date}`,
    confirmRemove: (date: string) => `Delete the snapshot of ${date}?`,
    confirmRemoveHint: 'The pictures and labels stay. The snapshot can be restored for 30 days.',
    restore: 'Restore',
    deletedAt: (date: string) => `deleted ${date}`,
    upload: 'Bring in pictures',
    files: 'Picture files',
    choose: 'Choose pictures, or drop them here',
    label: 'They are all',
    labels: { OK: 'OK: good parts', NG: 'NG: defective parts' },
    send: (count: number) => (count === 1 ? 'Upload 1 picture' : `Upload ${count} pictures`),
    notSent: (count: number, names: string) =>
      count === 1
        ? `1 file is no JPEG or PNG and is not uploaded: ${names}`
        : `${count} files are no JPEG or PNG and are not uploaded: ${names}`,
    uploaded: (accepted: number, duplicates: number, refused: number, contradicting: number) =>
      [
        accepted === 1 ? '1 picture taken in' : `${accepted} pictures taken in`,
        ...(duplicates > 0 ? [`${duplicates} here already`] : []),
        ...(contradicting > 0 ? [`${contradicting} of them with the other label, which stays`] : []),
        ...(refused > 0 ? [`${refused} refused`] : []),
      ].join(', '),
    outcomes: { accepted: 'taken in', duplicate: 'here already', refused: 'refused' },
    shows: 'Class of the defect, for a classifier',
    showsTip: 'Optional. Pictures with boxes have their classes from these.',
    folder: 'Or a folder on the server',
    importFolder: 'Import the folder',
    reading: (folder: string) => `Reading ${folder}`,
    importing: (folder: string, done: string, total: string) => `Importing ${folder}: ${done} of ${total}`,
    importProgress: 'Progress of the import in percent',
    cancelImport: 'Cancel the import',
    importEnded: {
      completed: (folder: string, what: string) => `${folder}: ${what}`,
      cancelled: (folder: string, what: string) => `${folder}: cancelled; ${what}`,
      lost: (folder: string) =>
        `${folder}: the import ended because Node-RED or the station was started anew. Import the folder again; what is there already is passed over.`,
      /** `what`: how far it came; empty: no picture was imported. */
      failed: (folder: string, what: string, why: string) =>
        what === '' ? `${folder} was not imported. ${why}` : `${folder}: ended early; ${what}. ${why}`,
    },
    moreRefused: (count: number) => (count === 1 ? 'and 1 more file' : `and ${count} more files`),
  },
  policy: {
    title: 'When it is done',
    choices: {
      gate: 'Put into production if the gate lets it',
      manual: 'A person decides',
      never: 'Only measure it',
    },
    hints: {
      gate: 'It must not be worse than the version in production, and no picture labelled NG may newly pass.',
      manual: 'It is compared with the version in production and waits.',
      never: 'It is compared with the version in production and kept.',
    },
    maxWorse: 'May be worse by, in points',
    maxWorseTip: 'How much the figures on held-out pictures may fall. Empty: 1 point.',
    priority: 'Priority',
    priorityTip: 'Those of higher priority are trained first; -10 to 10.',
  },
  jobs: {
    log: 'Log',
    logEmpty: 'No lines',
    priority: (value: number) => `priority ${value > 0 ? `+${value}` : value}`,
    dataset: (hash: string) => `snapshot ${hash}`,
    trigger: (cause: string) => `cause: ${cause}`,
    more: 'Show older jobs',
    gate: 'Gate report',
    /** By the code of the line; `__name__` is a gap. */
    lines: {
      queued: 'Queued by __actor__.',
      started: 'Started.',
      stage: '__stage__.',
      resumed: 'Goes on where it was interrupted (__count__).',
      learnt: 'Learns from snapshot __dataset__.',
      skipped: 'Pictures left out: __count__.',
      forgotten: 'Forgotten, because they are labelled good no more: __count__ (__pictures__).',
      placed: 'Version __version__ is made.',
      'judged-accepted': 'The gate accepts it.',
      'judged-refused': 'The gate refuses it.',
      deployed: 'Version __version__ is in production.',
      awaiting: 'Version __version__ waits for a person.',
      'production-changed': 'Meanwhile someone chose what is in production, which stays so.',
      'thresholds-changed':
        'Thresholds that __actor__ set by hand are in force, and would end with the version in production; they stay.',
      refused: 'Version __version__ is not put into production.',
      measured: 'Version __version__ was measured.',
      completed: 'Done.',
      failed: 'Failed: __detail__',
      cancelled: 'Cancelled.',
      interrupted: 'Interrupted.',
    } as Record<string, string>,
  },
};
