export { NoRetrainTrigger, NotNow, RetrainTriggerTwice } from './errors';
export {
  Retraining,
  type RetrainingEvents,
  type RetrainingOptions,
  type RetrainRegistration,
  type RetrainWish,
} from './retraining';
