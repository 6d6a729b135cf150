/** An answer of the API that is not a success, or no answer at all (`code` 'unreachable', `status` 0). */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    /** What translations of the text need. */
    readonly parameters: Readonly<Record<string, string | number>> = {},
  ) {
    super(detail);
    this.name = 'ApiProblem';
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** The station's HTTP API. Every call rejects with an `ApiProblem` and nothing else. */
export interface Api {
  url(path: string, query?: Query): string;
  get<Answer>(path: string, query?: Query): Promise<Answer>;
  post<Answer>(path: string, body?: unknown, query?: Query): Promise<Answer>;
  put<Answer>(path: string, body: unknown): Promise<Answer>;
  remove<Answer>(path: string): Promise<Answer>;
  /** Posts fields and files, as a form does. */
  postForm<Answer>(path: string, form: FormData): Promise<Answer>;
  /** Posts an encoded picture, or another file, as it is. */
  postFile<Answer>(path: string, file: Blob, query?: Query): Promise<Answer>;
}

/**
 * @param base    address of the API without a trailing slash
 * @param station name or id of the station; the first one when empty
 */
export function createApi(base: string, station: string): Api {
  const url = (path: string, query: Query = {}): string => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, station: station || undefined })) {
      if (value !== undefined) parameters.set(name, String(value));
    }
    const text = parameters.toString();
    return base + path + (text ? `?${text}` : '');
  };

  const json = (method: string, body: unknown): RequestInit => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  });

  return {
    url,
    get: (path, query) => request(url(path, query), {}),
    post: (path, body, query) => request(url(path, query), json('POST', body)),
    put: (path, body) => request(url(path), json('PUT', body)),
    remove: (path) => request(url(path), { method: 'DELETE' }),
    postForm: (path, form) => request(url(path), { method: 'POST', body: form }),
    postFile: (path, file, query) =>
      request(url(path, query), {
        method: 'POST',
        headers: { 'content-type': file.type || 'application/octet-stream' },
        body: file,
      }),
  };
}

async function request<Answer>(address: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(address, { ...init, credentials: 'same-origin' });
  } catch {
    throw new ApiProblem(0, 'unreachable', '');
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as Answer;
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new ApiProblem(response.status, 'unreadable-answer', '');
  }
}

interface Problem {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly title?: unknown;
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** RFC 9457 problem details, or what can be said without them. */
async function problemOf(response: Response): Promise<ApiProblem> {
  try {
    const body = (await response.json()) as Problem;
    const code = typeof body.code === 'string' ? body.code : `http-${response.status}`;
    const detail = [body.detail, body.title].find((text) => typeof text === 'string') as string | undefined;
    return new ApiProblem(response.status, code, detail ?? '', body.parameters);
  } catch {
    return new ApiProblem(response.status, `http-${response.status}`, '');
  }
}
