/** What an anomaly model found, in words: how far beyond its level, how large, where. */

import type { Part } from './part';
import { type Area, areaOf, placeOf } from './place';
import type { Formats, Texts } from './texts';
import type { Region } from './types';

const REGIONS_NAMED = 3;

/** For example "anomaly 1.8× the reject level, 14 mm² at the left edge"; null when there is no score. */
export function anomalyText(part: Part, texts: Texts, formats: Formats, millimetres: number | null): string | null {
  const { score, thresholds, regions } = part;
  if (score === null) return null;
  const { anomaly } = texts.found;
  const measure = thresholds === null || thresholds.reject <= 0 ? null : score / thresholds.reject;
  const head = measure === null ? anomaly.score(formats.score(score)) : anomaly.times(formats.tick(rounded(measure)));
  const strongest = [...regions].sort((a, b) => b.peak - a.peak);
  const named = strongest
    .slice(0, REGIONS_NAMED)
    .map((region) => regionText(region, part, texts, formats, millimetres));
  const more = strongest.length - named.length;
  return [head, ...named, ...(more > 0 ? [anomaly.more(more)] : [])].join(', ');
}

function regionText(
  { area, box }: Region,
  { width, height }: Part,
  texts: Texts,
  formats: Formats,
  millimetres: number | null,
): string {
  const picture = width === null || height === null ? null : { width, height };
  const size = areaText(areaOf(area, picture, millimetres), texts, formats);
  return picture === null ? size : `${size} ${texts.places[placeOf(box, picture)]}`;
}

/** Near the level itself two decimals tell on which side of it. */
function rounded(measure: number): number {
  return Number(measure.toFixed(measure < 1.2 ? 2 : 1));
}

function areaText({ unit, value }: Area, texts: Texts, formats: Formats): string {
  const { anomaly } = texts.found;
  if (unit === 'mm2') return anomaly.squareMillimetres(value < 10 ? formats.decimal(value) : formats.count(value));
  if (unit === 'share') return anomaly.share(formats.rate(value));
  return anomaly.pixels(formats.count(value));
}
