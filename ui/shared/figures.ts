/** What was measured of a detector or classifier, as rows of tables. */
import type { Formats, Texts } from './texts';
import type { ClassifierFigures, DetectorFigures, GateReason } from './types';

/** One figure before and after a training, 0..1; null where it could not be measured. */
export interface Comparison {
  readonly label: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly format: (value: number) => string;
  /** Of a difference without its sign. */
  readonly formatDifference: (value: number) => string;
}

export function detectorRows(
  before: DetectorFigures | null,
  after: DetectorFigures,
  texts: Texts,
  formats: Formats,
): readonly Comparison[] {
  const whole = (name: 'map50' | 'map5095'): Comparison => ({
    label: texts.figures[name],
    before: before?.[name] ?? null,
    after: after[name],
    format: formats.auroc,
    formatDifference: formats.auroc,
  });
  return [whole('map50'), whole('map5095'), ...recallRows(before, after, texts, formats)];
}

export function classifierRows(
  before: ClassifierFigures | null,
  after: ClassifierFigures,
  texts: Texts,
  formats: Formats,
): readonly Comparison[] {
  const share = (value: number): string => `${formats.rate(value)} %`;
  const accuracy = {
    label: texts.figures.accuracy,
    before: before?.accuracy ?? null,
    after: after.accuracy,
    format: share,
    formatDifference: (value: number) => texts.figures.points(formats.decimal(value * 100)),
  };
  return [accuracy, ...recallRows(before, after, texts, formats)];
}

interface WithRecalls {
  readonly perClass: readonly { readonly label: string; readonly recall: number | null }[];
}

function recallRows(before: WithRecalls | null, after: WithRecalls, texts: Texts, formats: Formats): Comparison[] {
  const rows = after.perClass.map(({ label, recall }) => ({
    label: texts.figures.recallOf(label),
    before: before?.perClass.find((other) => other.label === label)?.recall ?? null,
    after: recall,
    format: (value: number) => `${formats.rate(value)} %`,
    formatDifference: (value: number) => texts.figures.points(formats.decimal(value * 100)),
  }));
  // no held-out picture shows the others
  return rows.filter((row) => row.before !== null || row.after !== null);
}

/** Why a gate decided so, in the user's language where the catalog has it. */
export function gateText({ code, message, parameters = {} }: GateReason, texts: Texts, formats: Formats): string {
  const text = texts.gate.reasons[code]?.replace(/__(\w+?)__/g, (gap, name: string) => {
    const value = parameters[name];
    if (value === undefined) return gap;
    if (typeof value === 'number') return formats.count(value);
    const percent = /^(\d+(?:\.\d+)?) %$/.exec(value)?.[1];
    return percent === undefined ? value : `${formats.decimal(Number(percent))} %`;
  });
  return text === undefined || /__\w+?__/.test(text) ? message : text;
}
