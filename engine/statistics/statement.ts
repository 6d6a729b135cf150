import type { CalibrationFacts } from './calibration-facts';

/**
 * One sentence about a calibration. Parameters that end in `Rate` are shares (0..1), all others are counts; the names that a
 * sentence uses stand in its English text below.
 */
export interface StatementPart {
  readonly code: StatementCode;
  readonly parameters: Readonly<Record<string, number>>;
}

export type StatementCode = keyof typeof ENGLISH;

/** The sentences by code, with gaps for the parameters. */
export const ENGLISH = {
  'cross-validated': 'Measured on __pictures__ good pictures, each scored by a bank that does not know it.',
  'cross-validated-groups':
    'Measured on __pictures__ good pictures, each scored by a bank that does not know it; near-duplicates count ' +
    'once, which leaves __independent__.',
  compared: 'Measured on __pictures__ good pictures, each compared with its golden picture.',
  'compared-groups':
    'Measured on __pictures__ good pictures, each compared with its golden picture; those of one part count once, which ' +
    'leaves __independent__.',
  augmented:
    'Measured on altered copies of too few good pictures (__independent__): nothing is promised about good parts, and many ' +
    'of them go to a person. It takes __picturesRequired__ good pictures to promise a false-reject rate of ' +
    '__falseRejectRate__.',
  'reject-promised': 'At most __promisedRejectRate__ of good parts are rejected.',
  'reject-estimated':
    'That is too few to promise the wished false-reject rate of __falseRejectRate__: it takes __picturesNeeded__ more ' +
    '(__picturesRequired__ in all). Until then at most __promisedRejectRate__ of good parts are rejected, and the reject ' +
    'level is an estimate above the highest score of a good picture, so that parts in doubt go to a person.',
  review: 'At most __promisedAcceptRate__ of good parts score above the accept level.',
  'review-above-wish':
    'To keep defects from passing, up to __promisedAcceptRate__ of good parts score above the accept level, more than the ' +
    'wished __reviewRate__.',
  'review-none': 'Accept and reject level are the same: no part needs a person.',
  'miss-promised': 'At most __promisedMissRate__ of defective parts pass (__defects__ known).',
  'miss-estimated':
    'At most __promisedMissRate__ of defective parts pass (__defects__ known). To promise the wished __missRate__ takes ' +
    '__defectsNeeded__ more pictures of defective parts; until then no defect known would pass.',
  'miss-unknown':
    'Nothing is promised about defective parts that pass, since none is known: __defectsNeeded__ pictures of them allow to ' +
    'promise __missRate__.',
} as const;

/** What there is to say, in order: how it was measured, then what is promised for rejecting, reviewing and missing. */
export function sentencesOf(facts: CalibrationFacts): StatementPart[] {
  const codes: StatementCode[] =
    facts.method === 'augmented'
      ? ['augmented', missCode(facts)]
      : [sourceCode(facts), rejectCode(facts), reviewCode(facts), missCode(facts)];
  return codes.map((code) => ({ code, parameters: parametersOf(code, facts) }));
}

/** The sentences in English. */
export function statementOf(parts: readonly StatementPart[]): string {
  return parts
    .map(({ code, parameters }) =>
      ENGLISH[code].replace(/__(\w+?)__/g, (_, name: string) =>
        name.endsWith('Rate') ? percent(parameters[name]) : String(parameters[name]),
      ),
    )
    .join(' ');
}

function sourceCode({ method, pictures, independent }: CalibrationFacts): StatementCode {
  return pictures === independent ? method : `${method === 'compared' ? method : 'cross-validated'}-groups`;
}

function rejectCode({ reject }: CalibrationFacts): StatementCode {
  return reject.method === 'conformal' ? 'reject-promised' : 'reject-estimated';
}

function reviewCode({ thresholds, accept, promisedAcceptRate, reviewRate }: CalibrationFacts): StatementCode {
  if (thresholds.accept === thresholds.reject) return 'review-none';
  return accept.method === 'miss-rate' && promisedAcceptRate > reviewRate ? 'review-above-wish' : 'review';
}

function missCode({ defects, defectsNeeded }: CalibrationFacts): StatementCode {
  if (defects === 0) return 'miss-unknown';
  return defectsNeeded === 0 ? 'miss-promised' : 'miss-estimated';
}

function parametersOf(code: StatementCode, facts: CalibrationFacts): Record<string, number> {
  const names = [...ENGLISH[code].matchAll(/__(\w+?)__/g)].map(([, name]) => name);
  return Object.fromEntries(names.map((name) => [name, Number(facts[name as keyof CalibrationFacts])]));
}

function percent(rate: number): string {
  return `${Number((100 * rate).toPrecision(2))} %`;
}
