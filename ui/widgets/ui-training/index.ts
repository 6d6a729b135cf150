export { default as UITraining } from './Training.vue';
