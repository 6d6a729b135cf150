import '../../shared/style.css';

export { default as UIRoutingSettings } from './RoutingSettings.vue';
