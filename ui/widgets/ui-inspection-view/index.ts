import '../../shared/style.css';

export { default as UIInspectionView } from './InspectionView.vue';
