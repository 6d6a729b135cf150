import type { TrainingProgress } from '../engine/patchcore';
import { terminal } from './output';

/** A line for every tenth and every new stage; on a terminal every change, in place. */
export function progressPrinter(): (progress: TrainingProgress) => void {
  let last = '';
  return ({ stage, percent, remainingSeconds, pictures, count }) => {
    const step = `${stage} ${Math.floor(percent / 10)}`;
    if (step === last && !process.stderr.isTTY) return;
    last = step;
    const left = remainingSeconds === null ? '' : `, about ${remainingSeconds} s left`;
    terminal.progress(`${String(Math.floor(percent)).padStart(3)} %  ${stage}  ${pictures}/${count} pictures${left}`);
  };
}
