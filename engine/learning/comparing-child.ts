import type { GateReport, ModelComparison } from '../domain';
import { type ComparisonOrder, compareVersions } from './comparison/compare-versions';
import type { GateOrder } from './gate/gate-order';
import { judge } from './gate/judge';
import { serveWork } from './work-child';

serveWork(
  (order: GateOrder | ComparisonOrder, onProgress): Promise<GateReport | ModelComparison> =>
    order.task === 'judge' ? judge(order, onProgress) : compareVersions(order, onProgress),
  (_progress, last) => last === undefined,
);
