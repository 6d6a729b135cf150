/** What was measured of a detector or classifier, as rows of tables. */
import type { Formats, Texts } from './texts';
import type { ClassifierFigures, DetectorFigures, Difference, GateReport, Reason } from './types';

/** One figure before and after a training, 0..1; null where it could not be measured. */
export interface Comparison {
  readonly label: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly format: (value: number) => string;
  /** Of a difference without its sign. */
  readonly formatDifference: (value: number) => string;
  /** The smaller, the better. */
  readonly lowerIsBetter?: boolean;
  /** Where the difference lies with a confidence of 95 %. */
  readonly interval?: { readonly low: number; readonly high: number } | null;
  /** Of an end of the interval without its sign; as differences unless told. */
  readonly formatEnd?: (value: number) => string;
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

/** What a gate measured on held-out pictures. */
export function gateRows({ holdOut }: GateReport, texts: Texts, formats: Formats): readonly Comparison[] {
  if (holdOut === null) return [];
  const { figures } = texts.compare;
  const share = shareFormats(texts, formats);
  const plain = { format: formats.auroc, formatDifference: formats.auroc };
  const row = (
    label: string,
    measured: Difference | null | undefined,
    format: Pick<Comparison, 'format' | 'formatDifference' | 'formatEnd' | 'lowerIsBetter'>,
  ): Comparison[] => {
    if (!measured) return [];
    const { before, after, low, high } = measured;
    return [{ label, before, after, ...format, interval: low === null || high === null ? null : { low, high } }];
  };
  return [
    ...row(figures.escapes, holdOut.escapes, { ...share, lowerIsBetter: true }),
    ...row(figures.falseRejects, holdOut.falseRejects, { ...share, lowerIsBetter: true }),
    ...row(figures.accuracy, holdOut.accuracy, share),
    ...row(figures.auroc, holdOut.auroc, plain),
    ...row(figures.map50, holdOut.map50, plain),
  ];
}

/** How much a gate saw to be found still of what was known before. */
export function oldClassRows({ oldClasses }: GateReport, texts: Texts, formats: Formats): readonly Comparison[] {
  if (oldClasses === null) return [];
  const { recall, perClass } = oldClasses;
  const share = shareFormats(texts, formats);
  const whole = { label: texts.figures.recall, before: recall.before, after: recall.after, ...share };
  const classes = perClass.map(({ label, before, after }) => ({
    label: texts.figures.recallOf(label),
    before,
    after,
    ...share,
  }));
  return classes.length === 1 ? classes : [whole, ...classes];
}

function shareFormats(texts: Texts, formats: Formats): Pick<Comparison, 'format' | 'formatDifference' | 'formatEnd'> {
  return {
    format: (value) => `${formats.rate(value)} %`,
    formatDifference: (value) => texts.figures.points(formats.decimal(value * 100)),
    formatEnd: (value) => formats.decimal(value * 100),
  };
}

/** Why a gate decided so, in the user's language where the catalog has it. */
export function gateText({ code, message, parameters = {} }: Reason, texts: Texts, formats: Formats): string {
  const text = texts.gate.reasons[code]?.replace(/__(\w+?)__/g, (gap, name: string) => {
    const value = parameters[name];
    if (value === undefined) return gap;
    if (typeof value === 'number') return formats.count(value);
    const percent = /^(\d+(?:\.\d+)?) %$/.exec(value)?.[1];
    return percent === undefined ? value : `${formats.decimal(Number(percent))} %`;
  });
  return text === undefined || /__\w+?__/.test(text) ? message : text;
}

/** How long something still takes, in words. */
export function remainingText(seconds: number | null | undefined, { training }: Texts): string {
  if (seconds === null || seconds === undefined) return training.remainingUnknown;
  const text =
    seconds < 90 ? training.seconds(Math.max(1, Math.round(seconds))) : training.minutes(Math.round(seconds / 60));
  return training.remaining(text);
}
