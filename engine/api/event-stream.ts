import type { IncomingMessage, ServerResponse } from 'node:http';

const HEARTBEAT_MS = 15_000;
const LIVENESS_CHECK_MS = 1000;
/** A client that reads this much too slowly is cut off; it reconnects and reloads. */
const BACKLOG_LIMIT_BYTES = 1024 * 1024;

export interface EventStream {
  send(event: string, data: unknown): void;
  /** Called once, when the client has gone or the stream was ended; at once when that was before. */
  onClose(listener: () => void): void;
}

/** The stream of a client that went away before its request was answered: nothing will close it any more. */
const GONE: EventStream = { send: () => {}, onClose: (listener) => listener() };

/**
 * Answers a request with server-sent events (HTML standard, 9.2), with a heartbeat that keeps proxies from closing it.
 *
 * @param isAlive asked once a second; when it says no the stream ends, and the client's EventSource connects anew
 */
export function openEventStream(
  request: IncomingMessage,
  response: ServerResponse,
  isAlive: () => boolean,
): EventStream {
  if (response.closed || request.socket.destroyed) return GONE;
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-cache, no-transform',
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
  });
  response.write('retry: 1000\n\n');
  request.socket.setNoDelay(true);

  const listeners = new Set<() => void>();
  let closed = false;
  let silentMs = 0;
  const write = (text: string) => {
    if (closed) return;
    if (response.writableLength > BACKLOG_LIMIT_BYTES) {
      response.destroy();
      return;
    }
    silentMs = 0;
    response.write(text);
  };
  const pulse = setInterval(() => {
    silentMs += LIVENESS_CHECK_MS;
    if (!isAlive()) response.end();
    else if (silentMs >= HEARTBEAT_MS) write(': still here\n\n');
  }, LIVENESS_CHECK_MS);
  pulse.unref();
  response.once('close', () => {
    closed = true;
    clearInterval(pulse);
    for (const listener of listeners) listener();
  });
  return {
    send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    onClose: (listener) => {
      if (closed) listener();
      else listeners.add(listener);
    },
  };
}
