import { gateText } from './figures';
import type { Formats, Texts } from './texts';
import type { Job, Reason, RetrainingRun } from './types';

type Parameters = Readonly<Record<string, string | number>>;

/** Parameters that are moments. */
const MOMENTS = ['at', 'until'];

/** A text with its gaps filled; undefined when one of them is not known, or there is no text. */
function filled(text: string | undefined, parameters: Parameters, formats: Formats): string | undefined {
  const words = text?.replace(/__(\w+?)__/g, (gap, name: string) => {
    const value = parameters[name];
    if (value === undefined) return gap;
    if (MOMENTS.includes(name)) return formats.dateTime(String(value));
    return typeof value === 'number' ? formats.count(value) : value;
  });
  return words === undefined || /__\w+?__/.test(words) ? undefined : words;
}

/** Why a retraining will or will not start, or what came of it; in the server's words where the catalog has none. */
export function retrainText({ code, message, parameters = {} }: Reason, texts: Texts, formats: Formats): string {
  return (
    filled(texts.retraining.reasons[code], parameters, formats) ??
    filled(texts.serverErrors[code]?.message, parameters, formats) ??
    gateText({ code, message, parameters }, texts, formats)
  );
}

/** What came of a retraining; of one whose version was taken away since, this. */
export function outcomeText({ outcome, reasons }: Pick<RetrainingRun, 'outcome' | 'reasons'>, texts: Texts): string {
  const isGone = outcome === 'candidate' && reasons.at(-1)?.code === 'removed-later';
  return isGone ? texts.retraining.removed : texts.retraining.outcomes[outcome];
}

/** A line of a job's log. */
export function logText(line: NonNullable<Job['log']>[number], texts: Texts, formats: Formats): string {
  const { code, text, parameters = {} } = line;
  if (code === undefined) return text;
  const stage = texts.training.stages[parameters.stage as keyof Texts['training']['stages']];
  const known = stage === undefined ? parameters : { ...parameters, stage };
  return filled(texts.jobs.lines[code], known, formats) ?? text;
}
