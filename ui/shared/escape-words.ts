/** What the random audit says about bad parts that passed, in words. */
import type { EscapeEstimate, EscapeShare } from '../../engine/review/escape-estimate';
import type { Formats, Texts } from './texts';

/** "Of 312 audited passed parts 1 was bad: 0.3 %, 95 % sure between 0 and 1.8 %; 146 more … for 1 %". */
export function escapeText(
  row: EscapeShare,
  { bound }: Pick<EscapeEstimate, 'bound'>,
  texts: Texts,
  formats: Formats,
): string {
  const { escapes } = texts.review;
  const wished = formats.rate(bound);
  const found =
    row.audited === 0 || row.share === null
      ? escapes.none
      : escapes.found(
          formats.count(row.audited),
          row.bad,
          formats.rate(row.share),
          formats.rate(row.low),
          formats.rate(row.high),
        );
  return `${found} ${missingText(row, wished, texts, formats)}`;
}

function missingText({ missing, high, audited }: EscapeShare, wished: string, texts: Texts, formats: Formats): string {
  const { escapes } = texts.review;
  if (missing === null) return escapes.outOfReach(wished);
  if (missing === 0 && audited > 0) return escapes.reached(wished, formats.rate(high));
  return escapes.missing(formats.count(missing), missing, wished);
}
