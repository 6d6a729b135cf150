import '../../shared/style.css';

export { default as UIReviewQueue } from './ReviewQueue.vue';
