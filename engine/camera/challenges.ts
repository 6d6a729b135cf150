/** One way a server offers to sign in. */
export interface Challenge {
  /** Lower case, for example `basic` or `digest`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;

/**
 * Reads a WWW-Authenticate header, which may hold several challenges, each with parameters, all separated by commas. What does
 * not follow the grammar ends the reading; the challenges before it are kept.
 *
 * @see RFC 9110, section 11.6.1
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;

  const skip = (pattern: RegExp) => match(pattern) !== null;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found) at = pattern.lastIndex;
    return found?.[0] ?? null;
  };

  while (at < header.length) {
    skip(/[\s,]+/y);
    const name = match(TOKEN);
    if (name === null) break;
    if (skip(/\s*=\s*/y)) {
      const value = match(/"(?:[^"\\]|\\.)*"/y) ?? match(TOKEN);
      const challenge = challenges.at(-1);
      if (value === null || !challenge) break;
      challenge.parameters[name.toLowerCase()] = unquote(value);
    } else {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} });
      // The other form of a challenge: one lump of base64 and no parameters.
      skip(/\s+[A-Za-z0-9\-._~+/]+=*(?=\s*(,|$))/y);
    }
  }
  return challenges;
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
