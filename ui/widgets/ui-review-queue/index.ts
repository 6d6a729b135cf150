export { default as UIReviewQueue } from './ReviewQueue.vue';
