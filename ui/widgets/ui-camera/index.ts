import '../../shared/style.css';

export { default as UICamera } from './BrowserCamera.vue';
