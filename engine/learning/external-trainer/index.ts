export { type CommandValues, fillCommand, QUIET_ENVIRONMENT } from './command';
export {
  ExternalModelUnusable,
  ExternalTrainerFailed,
  ExternalTrainerHung,
  ExternalTrainerLeftNothing,
  ExternalTrainerNotStarted,
} from './errors';
export { parseResults } from './results';
export { type ExternalResult, type ExternalTraining, trainExternally } from './train-externally';
