import { type ErrorParameters, type Reason, type RetrainingRun, serializeError, timestamp } from '../../domain';
import { localText } from './local-time';

/** What is said about retrainings: every code and its sentence. Times in parameters are ISO 8601, UTC. */
export const reasons = {
  running: (job: string) => told('running', 'A training of this model is running.', { job }),
  queued: (job: string) => told('queued', 'A training of this model waits for its turn.', { job }),

  labelsReached: (count: number, needed: number) =>
    told('labels-reached', `New labels: ${count}, enough for a training (from ${needed} on).`, { count, needed }),
  labelsMissing: (count: number, missing: number, needed: number) =>
    told('labels-missing', `New labels: ${count}; at ${needed} a training starts.`, { count, missing, needed }),
  labelsFailed: (count: number, missing: number) =>
    told(
      'labels-failed',
      `The last training with the new labels (${count}) came to nothing; another takes ${missing} more.`,
      { count, missing },
    ),
  driftAlarm: (at: number, zone: string) =>
    told('drift-alarm', `A drift alarm came at ${localText(at, zone)}.`, { at: timestamp(at) }),
  driftWaits: (at: number, zone: string) =>
    told('drift-waits', `The drift alarm of ${localText(at, zone)} waits.`, { at: timestamp(at) }),
  driftWaitsForLabels: (at: number, zone: string) =>
    told(
      'drift-waits-for-labels',
      `The drift alarm of ${localText(at, zone)} waits for a new label: without any the model would become what it is.`,
      { at: timestamp(at) },
    ),
  scheduleDue: (at: number, zone: string) =>
    told('schedule-due', `The schedule has come to ${localText(at, zone)}.`, { at: timestamp(at) }),
  scheduleMissed: (at: number, zone: string) =>
    told('schedule-missed', `The schedule came to ${localText(at, zone)} while the station was not running.`, {
      at: timestamp(at),
    }),
  scheduleWaits: (at: number, zone: string) =>
    told('schedule-waits', `The scheduled training of ${localText(at, zone)} waits.`, { at: timestamp(at) }),
  scheduleNext: (at: number, zone: string) =>
    told('schedule-next', `The schedule comes to ${localText(at, zone)} next.`, { at: timestamp(at) }),
  askedFor: (actor: string) => told('asked-for', `${actor} asked for it.`, { actor }),
  interruptedAgain: () =>
    told('interrupted-again', 'The station ended during the last retraining, which is done again.'),
  nothingNew: () => told('nothing-new', 'There are no new labels: the model would become what it is.'),
  noCondition: () => told('no-condition', 'No condition is set: only a person starts a training.'),
  driftStarts: () => told('drift-starts', 'A drift alarm starts a training.'),

  minimumInterval: (minutes: number, until: number, zone: string) =>
    told(
      'minimum-interval',
      `The last training began less than ${minutes} min ago; the next may start at ${localText(until, zone)}.`,
      { minutes, until: timestamp(until) },
    ),
  quietHours: (until: number, zone: string) =>
    told('quiet-hours', `These are quiet hours; they end at ${localText(until, zone)}.`, {
      until: timestamp(until),
      timeZone: zone,
    }),

  candidateWaits: (version: string) => told('candidate-waits', `Version ${version} waits for a person.`, { version }),
  candidateRefused: (version: string) =>
    told('candidate-refused', `The gate refused version ${version}, which is not in production.`, { version }),
  candidateMeasured: (version: string) =>
    told('candidate-measured', `Version ${version} was measured and is not in production.`, { version }),
  deployed: (version: string) => told('deployed', `Version ${version} is in production.`, { version }),
  deployedLater: (version: string, actor: string) =>
    told('deployed-later', `${actor} put version ${version} into production.`, { version, actor }),
  removedLater: (version: string, actor: string) =>
    told('removed-later', `${actor} removed version ${version}.`, { version, actor }),
  restoredLater: (version: string, actor: string) =>
    told('restored-later', `${actor} restored version ${version}.`, { version, actor }),
  cancelled: () => told('cancelled', 'The training was cancelled.'),
  interrupted: () => told('interrupted', 'The station ended during the training.'),
} as const;

/** An error as a reason. */
export function reasonOfError(error: unknown): Reason {
  const { code, message, parameters } = serializeError(error);
  return told(code, message, parameters);
}

/** Several reasons as one text. */
export function textOf(all: RetrainingRun['reasons']): string {
  return all.map(({ message }) => message).join(' ');
}

function told(code: string, message: string, parameters?: ErrorParameters): Reason {
  return { code, message, ...(parameters && Object.keys(parameters).length > 0 && { parameters }) };
}
