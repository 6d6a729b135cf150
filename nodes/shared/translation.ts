import type { NodeAPI } from 'node-red';
import { InspectionError, type ReasonCode } from '../../engine/domain';

/** The catalog that holds the texts all nodes share (errors, reasons, status). */
const SHARED_CATALOG = '@opti-quality/node-red-dashboard-2-inspection/inspection-station';

type Parameters = Readonly<Record<string, string | number>>;

/** Texts in the server's language, with the English original where a catalog has none. */
export class Translation {
  constructor(private readonly RED: NodeAPI) {}

  /** A text of the shared catalog; `fallback` when the key is unknown. */
  shared(key: string, fallback: string, parameters: Parameters = {}): string {
    const text = this.RED._(`${SHARED_CATALOG}:${key}`, parameters);
    return typeof text !== 'string' || text.endsWith(key) ? fill(fallback, parameters) : text;
  }

  status(error: unknown): string {
    if (error instanceof InspectionError) {
      return this.ofError(error, 'status');
    }
    return this.shared('errors.internal-error.status', 'internal error');
  }

  message(error: unknown): string {
    if (error instanceof InspectionError) {
      return this.ofError(error, 'message');
    }
    return error instanceof Error ? error.message : String(error);
  }

  /** Errors with several causes have a text for each: `errors.<code>-<cause>`. */
  private ofError(error: InspectionError, part: 'status' | 'message'): string {
    const general = this.shared(`errors.${error.code}.${part}`, error[part], error.parameters);
    const { cause } = error.parameters;
    if (typeof cause !== 'string' || !/^[a-z-]+$/.test(cause)) return general;
    return this.shared(`errors.${error.code}-${cause}.${part}`, general, error.parameters);
  }

  reason(code: ReasonCode): string {
    return this.shared(`reasons.${code}`, code);
  }
}

function fill(text: string, parameters: Parameters): string {
  return text.replace(/__(\w+)__/g, (placeholder, name: string) => String(parameters[name] ?? placeholder));
}
