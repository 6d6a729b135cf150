/** Versions side by side, as rows of a table. */
import type { Formats, Texts } from './texts';
import type { ComparedVersion } from './types';

export interface FigureRow {
  readonly name: string;
  readonly label: string;
  /** One a version, in their order. */
  readonly cells: readonly { readonly text: string; readonly best: boolean }[];
}

/** Figures in the order in which they are read, with how they are written and which end is better. */
const KNOWN: Readonly<Record<string, { readonly share: boolean; readonly lowerIsBetter?: boolean }>> = {
  escapes: { share: true, lowerIsBetter: true },
  falseRejects: { share: true, lowerIsBetter: true },
  accuracy: { share: true },
  recall: { share: true },
  auroc: { share: false },
  map50: { share: false },
  map5095: { share: false },
};
/** Smaller differences are none. */
const SAME = 0.0005;

/** A row for each figure that at least one version has; the best ones are marked where they differ. */
export function figureRows(versions: readonly ComparedVersion[], texts: Texts, formats: Formats): readonly FigureRow[] {
  return Object.entries(KNOWN).flatMap(([name, { share, lowerIsBetter = false }]) => {
    const values = versions.map(({ figures }) => figures[name]);
    const known = values.filter((value) => value !== undefined);
    if (known.length === 0) return [];
    const best = lowerIsBetter ? Math.min(...known) : Math.max(...known);
    const differs = Math.max(...known) - Math.min(...known) >= SAME;
    const cells = values.map((value) => ({
      text: value === undefined ? texts.common.none : share ? `${formats.rate(value)} %` : formats.auroc(value),
      best: differs && value !== undefined && Math.abs(value - best) < SAME,
    }));
    return [{ name, label: texts.compare.figures[name], cells }];
  });
}
