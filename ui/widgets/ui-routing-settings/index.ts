export { default as UIRoutingSettings } from './RoutingSettings.vue';
