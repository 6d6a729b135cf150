export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The credentials of a URL, or those given beside it, which win; null without any. */
export function credentialsOf(url: URL, username?: string, password?: string): Credentials | null {
  if (username) return { username, password: password ?? '' };
  if (url.username === '') return null;
  return { username: decode(url.username), password: decode(url.password) };
}

/** A URL as it may stand in messages and logs: without credentials and without the query, where cameras like to have them too. */
export function publicUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/** Text of another program without the credentials it may repeat. */
export function withoutCredentials(text: string, credentials: Credentials | null): string {
  const masked = text.replace(/\/\/[^/\s@]*@/g, '//');
  if (!credentials) return masked;
  const { password } = credentials;
  const forms = [password, encodeURIComponent(password)].filter((form) => form.length >= 3);
  return forms.reduce((result, form) => result.split(form).join('***'), masked);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
