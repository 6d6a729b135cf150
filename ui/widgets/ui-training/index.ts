import '../../shared/style.css';

export { default as UITraining } from './ModelTraining.vue';
