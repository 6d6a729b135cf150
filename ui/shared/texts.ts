import { de } from '../texts/de';
import { enUS, type Texts } from '../texts/en-US';
import { ApiProblem } from './api';
import type { Fault, ReasonCode } from './types';

export type { Texts };
export type Language = 'en-US' | 'de';

/** The catalog's language for a setting: 'auto' follows the browser. */
export function languageOf(setting: string | undefined, browser: string = navigator.language): Language {
  if (setting === 'de' || setting === 'en-US') return setting;
  return browser.toLowerCase().startsWith('de') ? 'de' : 'en-US';
}

export function textsOf(language: Language): Texts {
  return language === 'de' ? de : enUS;
}

/** The server's error in the user's language, if the catalog has it and every part of it is known. */
function translated(texts: Texts, { code, parameters = {} }: Pick<Fault, 'code' | 'parameters'>): string | undefined {
  const text = texts.serverErrors[code]?.message?.replace(/__(\w+)__/g, (gap, name) => String(parameters[name] ?? gap));
  return text === undefined || /__\w+__/.test(text) ? undefined : text;
}

/** A problem in the user's words; the server's own sentence where it has one. */
export function problemText(texts: Texts, error: unknown): string {
  if (!(error instanceof ApiProblem)) return error instanceof Error ? error.message : String(error);
  const known = texts.problems[error.code as keyof Texts['problems']];
  if (error.status === 0 && typeof known === 'string') return known;
  const text = translated(texts, error) ?? error.message;
  if (text !== '') return text;
  return typeof known === 'string' ? known : texts.problems.other(error.status);
}

/** What failed in the station, in the user's language where the catalog has it. */
export function faultText(texts: Texts, fault: Fault): string {
  return translated(texts, fault) ?? fault.message;
}

/** A reason code in words; the code itself when it is newer than the catalog. */
export function reasonText(texts: Texts, code: string): string {
  return texts.reasons[code as ReasonCode] ?? code;
}

/** Numbers and times as the user's language writes them. */
export interface Formats {
  score(value: number | null | undefined): string;
  percent(share: number | null | undefined): string;
  /** A confidence, 0..1, in whole percent with the sign. */
  confidence(value: number): string;
  /** A share in percent; below 1 % with two decimals, so that small ones are not rounded away. */
  rate(share: number): string;
  /** An AUROC, 0..1, with three decimals. */
  auroc(value: number): string;
  decimal(value: number): string;
  /** A number on an axis. */
  tick(value: number): string;
  count(value: number): string;
  milliseconds(value: number): string;
  bytes(value: number): string;
  time(iso: string | null | undefined): string;
  dateTime(iso: string | null | undefined): string;
}

export function formatsOf(language: string): Formats {
  const score = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 3 });
  const percent = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const rate = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const smallRate = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
  const auroc = new Intl.NumberFormat(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  const decimal = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const tick = new Intl.NumberFormat(language, { maximumSignificantDigits: 4 });
  const count = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const megabytes = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const dateTime = new Intl.DateTimeFormat(language, { dateStyle: 'short', timeStyle: 'short' });
  const moment = (format: Intl.DateTimeFormat, iso: string | null | undefined): string => {
    const date = new Date(iso ?? '');
    return Number.isNaN(date.getTime()) ? '–' : format.format(date);
  };
  return {
    score: (value) => (typeof value === 'number' && Number.isFinite(value) ? score.format(value) : '–'),
    percent: (share) => (typeof share === 'number' && Number.isFinite(share) ? percent.format(share * 100) : '–'),
    confidence: (value) => `${count.format(value * 100)} %`,
    rate: (share) => (share < 0.00995 ? smallRate : rate).format(share * 100),
    auroc: (value) => auroc.format(value),
    decimal: (value) => decimal.format(value),
    tick: (value) => tick.format(value),
    count: (value) => count.format(value),
    milliseconds: (value) => `${count.format(value)} ms`,
    bytes: (value) => `${megabytes.format(value / 1_000_000)} MB`,
    time: (iso) => moment(time, iso),
    dateTime: (iso) => moment(dateTime, iso),
  };
}
