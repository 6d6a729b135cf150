import type { Readable } from 'node:stream';
import Busboy from '@fastify/busboy';
import { ClientGone } from './problem';
import {
  alreadyRead,
  type IncomingRequest,
  invalidForm,
  MULTIPART,
  malformedForm,
  mediaType,
  refuseEncoding,
  unsupportedType,
  wasRead,
} from './request-body';

/** A file of a form. */
export interface FormFile {
  readonly name: string;
  /** Null: it is larger than allowed, and the rest of it was dropped. */
  readonly content: Buffer | null;
}

/** A form with any number of files. */
export interface FilesBody {
  /** The text fields, which stand before the first file. */
  readonly fields: Readonly<Record<string, string>>;
  /** The files as they come: the next one is not read before it is asked for. */
  readonly files: AsyncIterable<FormFile>;
}

export interface FormLimits {
  /** Bytes of one file. */
  readonly fileBytes: number;
  readonly files: number;
  /** Bytes of one text field. */
  readonly fieldBytes: number;
}

const FIELD_COUNT_LIMIT = 16;

/**
 * The text fields of a multipart form; its files are read while they are worked on, whatever their field is called.
 *
 * @throws {RequestRefused} 400 malformed or without a file, 415 of another type; also while files are read, when a text
 *   field or one file too many comes
 * @throws {ClientGone} when the connection ended first
 */
export async function readFormFiles(request: IncomingRequest, limits: FormLimits): Promise<FilesBody> {
  refuseEncoding(request);
  const type = mediaType(request);
  if (type !== MULTIPART) throw unsupportedType(type, [MULTIPART]);
  if (wasRead(request)) throw alreadyRead();
  const form = openForm(request, limits);
  const arrivals = new Arrivals<{ readonly name: string; readonly stream: Readable }>();
  const fields: Record<string, string> = {};
  let inFiles = false;

  const leave = () => {
    request.unpipe(form);
    request.off('aborted', gone);
    request.off('error', gone);
  };
  const fail = (error: Error) => {
    leave();
    arrivals.end(error);
  };
  const gone = () => fail(new ClientGone());

  form.on('file', (_field, stream, name) => {
    inFiles = true;
    stream.on('error', () => {}); // told by the form
    arrivals.add({ name: name || 'picture', stream });
  });
  form.on('field', (name, value, nameTruncated, valueTruncated) => {
    if (inFiles) fail(invalidForm(`The field ${JSON.stringify(name)} must stand before the files.`));
    else if (nameTruncated || valueTruncated) fail(invalidForm(`The field ${JSON.stringify(name)} is too long.`));
    else if (Object.hasOwn(fields, name)) fail(invalidForm(`The field ${JSON.stringify(name)} is there twice.`));
    else Object.defineProperty(fields, name, { value, enumerable: true });
  });
  form.on('filesLimit', () => fail(invalidForm(`Send at most ${limits.files} files per request.`)));
  form.on('fieldsLimit', () => fail(invalidForm('The form has too many fields.')));
  form.on('partsLimit', () => fail(invalidForm('The form has too many parts.')));
  form.on('error', (error) => fail(malformedForm(error)));
  form.on('finish', () => arrivals.end());
  request.on('aborted', gone);
  request.on('error', gone);
  request.pipe(form);

  if (!(await arrivals.some())) throw invalidForm('The form has no file.');
  return { fields, files: filesOf(arrivals, leave) };
}

async function* filesOf(
  arrivals: Arrivals<{ readonly name: string; readonly stream: Readable }>,
  leave: () => void,
): AsyncGenerator<FormFile> {
  try {
    for (let next = await arrivals.next(); next !== null; next = await arrivals.next()) {
      const { name, stream } = next;
      const chunks: Buffer[] = [];
      const end = new Promise<void>((resolve) => stream.on('end', resolve));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      await Promise.race([end, arrivals.failure]);
      const { truncated } = stream as Readable & { truncated?: boolean };
      yield { name, content: truncated ? null : Buffer.concat(chunks) };
    }
  } finally {
    leave();
  }
}

function openForm(request: IncomingRequest, { fileBytes, files, fieldBytes }: FormLimits): ReturnType<typeof Busboy> {
  try {
    return Busboy({
      headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? MULTIPART },
      limits: {
        fileSize: fileBytes,
        files,
        fields: FIELD_COUNT_LIMIT,
        parts: files + FIELD_COUNT_LIMIT,
        fieldSize: fieldBytes,
        fieldNameSize: 64,
      },
    });
  } catch (error) {
    throw malformedForm(error);
  }
}

/** Things that come one by one until there are no more, or an error. */
class Arrivals<Item> {
  /** Rejects when the error comes; never resolves. */
  readonly failure: Promise<never>;
  readonly #waiting: Item[] = [];
  #over: { readonly error?: Error } | null = null;
  #wake: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor() {
    this.failure = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
    this.failure.catch(() => {}); // told to whoever asks for the next
  }

  add(item: Item): void {
    this.#waiting.push(item);
    this.#wake();
  }

  end(error?: Error): void {
    if (this.#over) return;
    this.#over = { error };
    if (error) this.#reject(error);
    this.#wake();
  }

  /** Whether there is a first one. @throws the error that came instead */
  async some(): Promise<boolean> {
    while (this.#waiting.length === 0 && this.#over === null) await this.#more();
    if (this.#over?.error) throw this.#over.error;
    return this.#waiting.length > 0;
  }

  /** @returns null after the last one @throws the error that came */
  async next(): Promise<Item | null> {
    return (await this.some()) ? (this.#waiting.shift() as Item) : null;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
