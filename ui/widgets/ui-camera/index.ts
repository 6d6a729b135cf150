import '../../shared/style.css';

export { default as UICamera } from './Camera.vue';
