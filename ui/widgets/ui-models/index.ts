import '../../shared/style.css';

export { default as UIModels } from './ModelsPage.vue';
