import type { Box } from '../../domain';
import type { Placement } from '../../imaging';
import { findRegions } from '../regions';
import { matchBoxes } from './box-matching';

/** A picture that was compared, and where its defects are. */
export interface LabelledDifferences {
  readonly differences: Float32Array;
  readonly placement: Placement;
  /** Annotated defects, in pixels of the original picture; none in a good picture. */
  readonly boxes: readonly Box[];
}

/** How well the regions above a level lie on the annotated defects. */
export interface LevelTrial {
  readonly level: number;
  readonly found: number;
  readonly boxes: number;
  readonly falseRegions: number;
  readonly pictures: number;
}

/** Levels that are tried: each a tenth above the one before. */
const LEVELS = Array.from({ length: 27 }, (_, index) => Math.round(500 * 1.1 ** index) / 10_000);
/** False regions a picture that are accepted for finding more defects. */
const FALSE_REGIONS = 0.25;

/** Counts found defects and false regions at each level, one picture after the other. */
export class LevelSearch {
  private readonly trials: LevelTrial[] = LEVELS.map((level) => ({
    level,
    found: 0,
    boxes: 0,
    falseRegions: 0,
    pictures: 0,
  }));

  add({ differences, placement, boxes }: LabelledDifferences): void {
    for (const [index, trial] of this.trials.entries()) {
      const { found, falseRegions } = matchBoxes(findRegions(differences, trial.level, placement), boxes);
      this.trials[index] = {
        level: trial.level,
        found: trial.found + found.filter(Boolean).length,
        boxes: trial.boxes + boxes.length,
        falseRegions: trial.falseRegions + falseRegions.length,
        pictures: trial.pictures + 1,
      };
    }
  }

  /** The level that finds most with few false regions; null when there was no annotated defect. */
  best(): LevelTrial | null {
    if (this.trials[0].boxes === 0) return null;
    const quiet = this.trials.filter(({ falseRegions, pictures }) => falseRegions <= FALSE_REGIONS * pictures);
    const candidates = quiet.length > 0 ? quiet : this.trials.slice(-1);
    const most = Math.max(...candidates.map(({ found }) => found));
    return candidates.filter(({ found }) => found === most).at(-1) as LevelTrial;
  }
}
