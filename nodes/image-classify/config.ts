import { InvalidInput, VERDICTS, type Verdict } from '../../engine/domain';
import type { ClassifierWishes } from '../../engine/station';
import { type ConfigSchema, readPartType } from '../shared';

/** What a class means for a part, set by hand. */
export interface ClassVerdict {
  readonly label: string;
  readonly verdict: Verdict;
}

export interface ImageClassifyConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** The part type whose classifier is used and trained; empty: that of each part. */
  readonly partType: string;
  /** Classes that mean something else than the model says. */
  readonly verdicts: readonly ClassVerdict[];
}

export const schema: ConfigSchema<ImageClassifyConfig> = {
  defaults: { name: '', station: '', partType: '', verdicts: [] },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/**
 * How the node wants pictures looked at.
 *
 * @throws {InvalidInput} naming the class at fault
 */
export function readClassifierWishes({ partType, verdicts }: ImageClassifyConfig): ClassifierWishes {
  if (!Array.isArray(verdicts)) throw new InvalidInput('The setting "verdicts" must be a list.');
  const entries = (verdicts as readonly ClassVerdict[]).map((entry): [string, Verdict] => {
    const { label, verdict } = entry ?? {};
    if (typeof label !== 'string' || label.trim() === '') throw new InvalidInput('A class needs a name.');
    if (!VERDICTS.includes(verdict)) {
      throw new InvalidInput(`The class ${JSON.stringify(label)} can be OK, NG or REVIEW, not ${verdict}.`);
    }
    return [label.trim(), verdict];
  });
  const double = entries.find(([label], place) => entries.findIndex(([other]) => other === label) !== place);
  if (double) throw new InvalidInput(`The class ${JSON.stringify(double[0])} is there twice.`);
  return { ...(partType !== '' && { partType: readPartType(partType) }), verdicts: Object.fromEntries(entries) };
}
