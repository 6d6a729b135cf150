import assert from 'node:assert/strict';
import { closePlcs, loadPlcFlow, simulatedPlc } from './plc-support';
import { collect, send, statuses, unloadFlow, until, useNodeRed, warnings } from './support';

describe('The port of the simulated PLC', () => {
  useNodeRed();
  afterEach(async () => {
    await unloadFlow();
    await closePlcs();
  });

  it('stays told as taken when a part arrives, and is listened on as soon as it is free', async () => {
    const other = await simulatedPlc();
    await loadPlcFlow([{ id: 'sim', type: 'plc-simulator', port: other.port, cycle: false }]);
    const shown = statuses('sim');
    const logged = warnings('sim');
    await until(() => shown.length > 0, 'a status');
    send('sim', { topic: 'trigger' });
    await until(() => collect('out').length > 0, 'the part');
    const taken = `port ${other.port} not available: in use`;
    assert.deepEqual([...new Set(shown.map(({ fill, text }) => `${fill} ${text}`))], [`red ${taken}`]);
    assert.equal(logged.length, 1);
    assert.match(logged[0], new RegExp(`:${other.port}: another program`));
    await other.close();
    await until(() => shown.at(-1)?.fill === 'green', 'a port to listen on');
    assert.equal(shown.at(-1)?.text, `port ${other.port} · 1 parts`);
  });
});
