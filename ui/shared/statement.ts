import type { Formats, Texts } from './texts';
import type { CalibrationDetails } from './types';

/** What a calibration promises, sentence by sentence in the user's language; the model's own English where it has no codes. */
export function sentencesOf(
  { statement, statementParts }: Pick<CalibrationDetails, 'statement' | 'statementParts'>,
  texts: Texts,
  formats: Formats,
): string[] {
  if (statementParts.length === 0) return [statement];
  return statementParts.map(({ code, parameters }) =>
    texts.statements[code].replace(/__(\w+?)__/g, (_, name: string) =>
      name.endsWith('Rate') ? `${formats.rate(parameters[name])} %` : formats.count(parameters[name]),
    ),
  );
}
