export { default as UIInspectionView } from './InspectionView.vue';
