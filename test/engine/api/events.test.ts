import assert from 'node:assert/strict';
import { get, type IncomingMessage } from 'node:http';
import type { ApiStation } from '../../../engine/api';
import { waitFor } from '../../support/wait';
import { writeVersion } from '../learning/packages';
import { type Line, openLine, type RunningApi, serveApi } from './line';

interface Pushed {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A client of `/events` that keeps what it hears. */
async function listen(url: string): Promise<{ heard: Pushed[]; response: IncomingMessage; close(): void }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/events`, resolve).on('error', reject);
  });
  const heard: Pushed[] = [];
  let text = '';
  response.on('error', () => {});
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event && data) heard.push({ event, data: JSON.parse(data) });
    }
  });
  return { heard, response, close: () => response.destroy() };
}

describe('GET /events', () => {
  let line: Line;
  let api: RunningApi;
  let stations: ApiStation[];

  beforeEach(async () => {
    line = await openLine();
    stations = [line.station];
    api = await serveApi(() => stations);
  });
  afterEach(async () => {
    await api.close();
    await line.close();
    assert.deepEqual(api.errors, []);
  });

  it('begins with the tower lights as they are', async () => {
    const client = await listen(api.url);
    await waitFor('the lamp', () => client.heard.length > 0);
    assert.deepEqual(client.heard, [{ event: 'lamp', data: line.station.lamps()[0] }]);
    client.close();
  });

  it('pushes verdicts, review items, settings, lamps and faults', async () => {
    const client = await listen(api.url);
    assert.match(client.response.headers['content-type']!, /^text\/event-stream/);
    assert.match(client.response.headers['cache-control']!, /no-cache/);
    const { id } = await line.inspect(1.5);
    await line.station.setRouting('plate', { auditShare: 0.5 }, 'test');
    line.events.emit('lamp', { node: 'n', colour: 'green', flashing: false, connected: true });
    line.events.emit('fault', { code: 'x', message: 'two\nlines' });
    await waitFor('six events', () => client.heard.length >= 6);
    assert.deepEqual(
      client.heard.map(({ event }) => event),
      ['lamp', 'inspection', 'review', 'routing', 'lamp', 'fault'],
    );
    const [, inspection, review, , , fault] = client.heard.map(({ data }) => data);
    assert.deepEqual(
      [inspection.id, inspection.verdict, inspection.picture, inspection.map],
      [id, 'REVIEW', `/inspection/api/inspections/${id}/picture`, `/inspection/api/inspections/${id}/map`],
    );
    assert.equal((inspection.findings as unknown[]).length, 1);
    assert.deepEqual([review.id, review.state], [id, 'pending']);
    assert.equal(fault.message, 'two\nlines');
    client.close();
  });

  it('pushes that a version was removed or restored', async () => {
    await writeVersion(line.dataFolder, 'plate', '1');
    const client = await listen(api.url);
    const version = `${api.url}/models/plate/1`;
    assert.equal((await fetch(version, { method: 'DELETE' })).status, 200);
    assert.equal((await fetch(`${version}/restore`, { method: 'POST' })).status, 200);
    await waitFor('three events', () => client.heard.length >= 3);
    const common = { name: 'plate', version: '1', actor: 'anonymous' };
    assert.deepEqual(client.heard.slice(1), [
      { event: 'version', data: { ...common, change: 'removed' } },
      { event: 'version', data: { ...common, change: 'restored' } },
    ]);
    client.close();
  });

  it('reaches every client, and forgets those that have gone', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => listen(api.url)));
    assert.equal(line.events.listenerCount('inspection-settled'), 5);
    await line.inspect(0.5);
    await waitFor('all clients', () => clients.every(({ heard }) => heard.length === 2));
    for (const client of clients.slice(0, 4)) client.close();
    await waitFor('the clean-up', () => line.events.listenerCount('inspection-settled') === 1);
    clients[4].close();
    await waitFor('the clean-up', () => line.events.listenerCount('lamp') === 0);
  });

  it('keeps nothing for a client that left before it was answered', async () => {
    let handled = false;
    const slow = await serveApi(
      () => stations,
      (app) =>
        app.use((_request, response, next) => {
          response.once('close', () => {
            next();
            setImmediate(() => {
              handled = true;
            });
          });
          request.destroy();
        }),
    );
    const request = get(`${slow.url}/events`).on('error', () => {});
    await waitFor('the handler', () => handled);
    assert.equal(line.events.listenerCount('fault'), 0);
    await slow.close();
  });

  it('ends when the station is closed, so that the client connects to the next one', async () => {
    const client = await listen(api.url);
    const ended = new Promise((resolve) => client.response.once('end', resolve));
    stations = [];
    await ended;
    await waitFor('the clean-up', () => line.events.listenerCount('fault') === 0);
  });

  it('cuts off a client that does not read', async () => {
    const client = await listen(api.url);
    client.response.pause();
    const message = 'x'.repeat(256 * 1024);
    await waitFor('the cut', () => {
      line.events.emit('fault', { code: 'x', message });
      return line.events.listenerCount('fault') === 0;
    });
    client.close();
  });
});
