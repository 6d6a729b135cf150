export { Comparisons, type ComparisonsOptions, NothingToCompareWith } from './comparisons';
