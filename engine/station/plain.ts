import type { Finding } from '../domain';

/** Findings as the database and the journal keep them: plain JSON, without the parts that are none (a cycle, a BigInt). */
export function plainFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings
    .filter((finding) => typeof finding === 'object' && finding !== null)
    .map((finding) => {
      const whole = plain(finding);
      if (whole !== undefined) return whole;
      const parts = Object.entries(finding).map(([name, value]) => [name, plain(value)] as const);
      return Object.fromEntries(parts.filter(([, value]) => value !== undefined)) as unknown as Finding;
    });
}

/** A copy by way of JSON; undefined when there is none. */
export function plain<T>(value: T): T | undefined {
  try {
    return JSON.parse(JSON.stringify(value)) as T;
  } catch {
    return undefined;
  }
}
