export { default as UICamera } from './Camera.vue';
