import { InvalidInput, isPartType, MODEL_KINDS, PartTypeInvalid, type RetrainSettings } from '../../domain';
import { checkPolicy, checkPriority } from '../check-request';
import { readClassifierTrainingOptions, readDetectorTrainingOptions } from '../class-training-options';
import { readTrainingOptions } from '../training-options';
import { checkQuietHours } from './quiet-hours';
import { checkSchedule, checkTimeZone } from './schedule';

const LONGEST_INTERVAL_MINUTES = 60 * 24 * 366;

/** @throws {InvalidInput | PartTypeInvalid} naming what is wrong */
export function checkSettings(settings: RetrainSettings, now: number): void {
  const { partType, kind, conditions, minimumIntervalMinutes, quietHours, timeZone, request, policy } = settings;
  if (!isPartType(partType)) throw new PartTypeInvalid(partType);
  if (!MODEL_KINDS.includes(kind)) throw new InvalidInput(`There is no kind of model ${JSON.stringify(kind)}.`);
  const { labels, schedule } = conditions;
  if (labels !== null && !(Number.isInteger(labels) && labels >= 1)) {
    throw new InvalidInput(`The number of new labels must be whole and at least 1, not ${labels}.`);
  }
  if (schedule !== null) checkSchedule(schedule, now);
  if (!(minimumIntervalMinutes >= 0 && minimumIntervalMinutes <= LONGEST_INTERVAL_MINUTES)) {
    throw new InvalidInput(
      `The minimum interval must be between 0 and ${LONGEST_INTERVAL_MINUTES} minutes, not ${minimumIntervalMinutes}.`,
    );
  }
  checkTimeZone(timeZone);
  checkQuietHours(quietHours);
  checkPolicy(policy);
  checkPriority(request.priority);
  if (request.options !== undefined) readTrainingOptions(request.options);
  if (request.detector !== undefined) readDetectorTrainingOptions(request.detector);
  if (request.classifier !== undefined) readClassifierTrainingOptions(request.classifier);
}
