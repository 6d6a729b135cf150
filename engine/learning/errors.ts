import type { Dataset } from '../datasets';
import { type ErrorText, InspectionError, type Job } from '../domain';

/** Trainings that may wait. */
export const QUEUE_LIMIT = 100;

/** The job is over and cannot be cancelled. */
export class JobEnded extends InspectionError {
  constructor(job: Job) {
    super({
      code: 'job-ended',
      status: 'job has ended',
      message: `Job ${job.id} is ${job.state}. Only queued and running jobs can be cancelled.`,
      parameters: { id: job.id, state: job.state },
      httpStatus: 409,
    });
  }
}

/** The queue takes no jobs (any more). */
export class JobQueueUnavailable extends InspectionError {
  constructor(trouble: 'closed' | 'full') {
    super({
      code: `job-queue-${trouble}`,
      status: trouble === 'closed' ? 'station closed' : 'job queue full',
      message:
        trouble === 'closed'
          ? 'The station is closing; start the training again when it runs.'
          : `${QUEUE_LIMIT} trainings wait already. Wait until some are done, or cancel some.`,
      httpStatus: 503,
    });
  }
}

/** The codes of all that is `HeldBack`; the log of a job tells them. */
export const HELD_BACK = ['production-changed', 'thresholds-changed'] as const;

/** What a person chose keeps a version from going into production by itself. */
export class HeldBack extends InspectionError {
  constructor(text: ErrorText & { readonly code: (typeof HELD_BACK)[number] }) {
    super(text);
  }
}

/** Someone put another version into production meanwhile. */
export class ProductionChanged extends HeldBack {
  constructor(name: string, version: string) {
    super({
      code: 'production-changed',
      status: 'another version in production',
      message: `Version ${version} of ${name} was not deployed: meanwhile someone chose what is in production. Compare the two and deploy it by hand if it is the better one.`,
      parameters: { name, version },
      httpStatus: 409,
    });
  }
}

/** Thresholds set by hand are in force, which would end with the version in production. */
export class ThresholdsChanged extends HeldBack {
  constructor(name: string, version: string, actor: string) {
    super({
      code: 'thresholds-changed',
      status: 'thresholds set by hand',
      message: `Version ${version} of ${name} was not deployed: thresholds that ${actor} set by hand are in force, and would end with the version in production. Take them back, or deploy it by hand if it shall take its place all the same.`,
      parameters: { name, version, actor },
      httpStatus: 409,
    });
  }
}

/** There is no version the pictures could be added to. */
export class NothingToUpdate extends InspectionError {
  constructor(partType: string) {
    super({
      code: 'nothing-to-update',
      status: 'no model to add to',
      message: `Part type ${partType} has no model in production that pictures could be added to. Train one first, or deploy a version.`,
      parameters: { partType },
      httpStatus: 409,
    });
  }
}

/** The version in production knows all that could be added to it. */
export class NothingNewToLearn extends InspectionError {
  constructor(partType: string, known: number) {
    super({
      code: 'nothing-new-to-learn',
      status: 'nothing new to learn',
      message: `The model of part type ${partType} in production knows all ${known} labelled pictures that it may learn. Label more pictures OK, or train anew instead of adding.`,
      parameters: { partType, known },
      httpStatus: 409,
    });
  }
}

/** All pictures labelled OK are held out to measure with, or there are none. */
export class NoPicturesToLearn extends InspectionError {
  constructor(partType: string, heldOut: number) {
    super({
      code: 'no-pictures-to-learn',
      status: 'too few labels',
      message:
        `Part type ${partType} has no picture labelled OK that may be learnt; ${heldOut} are held out to measure with ` +
        '(about one in five). Label more pictures OK.',
      parameters: { partType, heldOut },
      httpStatus: 422,
    });
  }
}

/** People have labelled too little for a training. */
export class TooFewLabels extends InspectionError {
  constructor(partType: string, what: 'boxes' | 'classes', found: number, needed: number) {
    super({
      code: `too-few-labelled-${what}`,
      status: 'too few labels',
      message:
        what === 'boxes'
          ? `Part type ${partType} has ${found} labelled pictures with boxes, and a detector needs ${needed}. Draw boxes in the review.`
          : `The labelled pictures of part type ${partType} have ${found} classes, and a classifier needs ${needed}. Label pictures of another class.`,
      parameters: { partType, found, needed },
      httpStatus: 422,
    });
  }
}

/** A data set of the other kind: with boxes where classes are wished, or the other way round. */
export class DatasetUnfit extends InspectionError {
  constructor(path: string, wished: Dataset['kind']) {
    super({
      code: wished === 'detection' ? 'dataset-without-boxes' : 'dataset-without-classes',
      status: wished === 'detection' ? 'data set without boxes' : 'data set without classes',
      message:
        wished === 'detection'
          ? `The data set ${path} has classes of whole pictures and no boxes. Choose one with boxes, or train a classifier.`
          : `The data set ${path} has boxes and no classes of whole pictures. Choose a folder of classes, or train a detector.`,
      parameters: { path },
      httpStatus: 422,
    });
  }
}

/** Another trainer is wished and the station knows no command for it. */
export class NoExternalTrainer extends InspectionError {
  constructor() {
    super({
      code: 'no-external-trainer',
      status: 'no external trainer',
      message:
        'No command for an external trainer is set. Enter it in the inspection-station node, or use the built-in trainer.',
      httpStatus: 409,
    });
  }
}
