export { NoRetrainTrigger, NotNow, RetrainTriggerTwice } from './errors';
export { localText } from './local-time';
export {
  Retraining,
  type RetrainingEvents,
  type RetrainingOptions,
  type RetrainRegistration,
  type RetrainWish,
} from './retraining';
