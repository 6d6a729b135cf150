import { get, type IncomingMessage } from 'node:http';

/** A client of `/events`. */
export interface EventListener {
  close(): void;
}

/**
 * Listens to a station's server-sent events.
 *
 * @param root  address of the API
 * @param onEvent called with each event as it comes; its data is parsed
 */
export async function listenToEvents(
  root: string,
  onEvent: (event: string, data: unknown) => void,
): Promise<EventListener> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${root}/events`, resolve).on('error', reject);
  });
  response.setEncoding('utf8');
  // the server may be killed
  response.on('error', () => undefined);
  let text = '';
  response.on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop() as string;
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event !== undefined && data !== undefined) onEvent(event, JSON.parse(data));
    }
  });
  return { close: () => response.destroy() };
}
