import '../../shared/style.css';

export { default as UIRetraining } from './RetrainingStatus.vue';
