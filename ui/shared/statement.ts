import type { Formats, Texts } from './texts';
import type { CalibrationDetails } from './types';

/**
 * What a calibration promises, sentence by sentence in the user's language. The model's own English where it has no codes,
 * or where they are of another release than the texts.
 */
export function sentencesOf(
  { statement, statementParts }: Pick<CalibrationDetails, 'statement' | 'statementParts'>,
  texts: Texts,
  formats: Formats,
): readonly string[] {
  const sentences = statementParts.map(({ code, parameters }) =>
    sentenceOf(texts.statements[code], parameters, formats),
  );
  return sentences.length === 0 || sentences.includes(null) ? [statement] : (sentences as string[]);
}

function sentenceOf(
  text: string | undefined,
  parameters: Readonly<Record<string, number>>,
  formats: Formats,
): string | null {
  const filled = text?.replace(/__(\w+?)__/g, (gap, name: string) => {
    const value = parameters[name];
    if (value === undefined) return gap;
    return name.endsWith('Rate') ? `${formats.rate(value)} %` : formats.count(value);
  });
  return filled === undefined || /__\w+?__/.test(filled) ? null : filled;
}
