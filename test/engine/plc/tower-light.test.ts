import assert from 'node:assert/strict';
import {
  coilProfile,
  DARK,
  type LampReport,
  type LampState,
  type PlcConnectionOptions,
  type PlcWrite,
  patliteProfile,
  registerProfile,
  SIMULATED_PLC_MAP,
  type SimulatedLamps,
  type SimulatedPlc,
  TowerLight,
  type TowerLightOptions,
} from '../../../engine/plc';
import { Cleanup, connectionTo, pause, startPlc, until } from './support';

const { green, red, yellow, blue, buzzer } = SIMULATED_PLC_MAP.coils;
const LAMPS = ['green', 'red', 'yellow', 'blue', 'buzzer'] as const;
const coils = coilProfile({ green, red, yellow, blue, buzzer });

const quiet = {
  holdMs: 0,
  idle: 'off',
  failSafe: 'red',
  afterLoss: 'fail-safe',
  buzzer: { onNg: false, onFault: false, milliseconds: 0 },
  refreshMs: 0,
  flashMs: 20,
  testStepMs: 30,
  retryMs: 30,
} as const satisfies Partial<TowerLightOptions>;

describe('tower light', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function tower(
    plc: SimulatedPlc,
    options: Partial<TowerLightOptions> = {},
    line: Partial<PlcConnectionOptions> = {},
  ) {
    const connection = connectionTo(cleanup, plc.port, line);
    const light = cleanup.add(new TowerLight({ ...quiet, device: { connection, profile: coils }, ...options }), (it) =>
      it.close(200),
    );
    light.start();
    await until(() => connection.state === 'connected', 'connected');
    return { light, connection };
  }

  const namesOf = (lamps: SimulatedLamps | LampState) =>
    LAMPS.filter((lamp) => lamps[lamp] === true || lamps[lamp] === 'on').join('+');
  const lit = (plc: SimulatedPlc) => namesOf(plc.lamps);

  /** The lamps as they follow one another from now on. */
  const watchLamps = (plc: SimulatedPlc): string[] => {
    const seen: string[] = [];
    plc.on('lamps', () => seen.push(lit(plc)));
    return seen;
  };

  it('shows OK green, NG red, REVIEW yellow, one at a time', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc);
    for (const [verdict, colour] of [
      ['OK', 'green'],
      ['NG', 'red'],
      ['REVIEW', 'yellow'],
    ] as const) {
      light.show(verdict);
      assert.equal(light.report().colour, colour);
      await until(() => lit(plc) === colour, `${colour} alone`);
    }
  });

  it('writes only what changes', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc);
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    const writes: unknown[] = [];
    plc.on('write', (write) => writes.push(write));
    light.show('OK');
    light.waiting(false);
    await pause(40);
    assert.deepEqual(writes, []);
  });

  it('lights blue beside the verdict while parts wait for a person', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc);
    light.show('OK');
    light.waiting(true);
    await until(() => lit(plc) === 'green+blue', 'green and blue');
    light.clear();
    await until(() => lit(plc) === 'blue', 'blue');
    assert.equal(light.report().signal, 'waiting');
  });

  it('flashes red for a fault, above all verdicts, until it is cleared', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc);
    light.fault();
    light.show('OK');
    const seen = new Set<string>();
    plc.on('lamps', () => seen.add(lit(plc)));
    await until(() => seen.has('red') && seen.has(''), 'red on and off');
    assert.equal(light.report().flashing, true);
    assert.equal(seen.has('green'), false);
    light.clearFault();
    await until(() => lit(plc) === 'green', 'green again');
  });

  it('goes dark, or to the idle colour, after the hold time', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, { holdMs: 300, idle: 'blue' });
    await until(() => lit(plc) === 'blue', 'idle');
    const seen = watchLamps(plc);
    light.show('OK');
    await until(() => seen.includes('green') && seen.at(-1) === 'blue', 'green, and idle again');
  });

  it('turns the last verdict off while the next part is inspected', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, { idle: 'green' });
    light.show('NG');
    await until(() => lit(plc) === 'red', 'red');
    light.busy();
    await until(() => lit(plc) === '', 'dark');
  });

  it('sounds the buzzer for its time', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, { buzzer: { onNg: true, onFault: false, milliseconds: 300 } });
    const seen = watchLamps(plc);
    light.show('NG');
    await until(() => seen.includes('red+buzzer') && seen.at(-1) === 'red', 'red and buzzer, and the buzzer off');
  });

  it('tests every lamp in turn and goes back to what it shows', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, { testStepMs: 200 });
    light.show('REVIEW');
    await until(() => lit(plc) === 'yellow', 'yellow');
    const told: string[] = [];
    light.on('change', ({ lamps }) => told.push(namesOf(lamps)));
    const seen = watchLamps(plc);
    light.test();
    const all = 'green+red+yellow+blue+buzzer';
    await until(() => seen.includes(all) && seen.at(-1) === 'yellow', 'the test');
    assert.deepEqual(told, ['red', 'yellow', 'green', 'blue', all, 'yellow']);
  });

  it('ends the lamp test when a verdict falls', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, { testStepMs: 1000 });
    light.test();
    light.show('NG');
    assert.equal(light.report().signal, 'ng');
    await until(() => lit(plc) === 'red', 'red');
  });

  it('writes all lamps again after a reconnect, with a verdict that fell meanwhile', async () => {
    const plc = await startPlc(cleanup);
    const { light, connection } = await tower(plc);
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    await plc.hangUp();
    await until(() => connection.state !== 'connected', 'lost');
    light.show('REVIEW');
    plc.setCoil(green, false);
    plc.setCoil(buzzer, true);
    await plc.listen();
    await until(() => lit(plc) === 'yellow', 'yellow alone');
  });

  it('shows the fail-safe colour after a loss until the next verdict', async () => {
    const plc = await startPlc(cleanup);
    const { light, connection } = await tower(plc);
    const reports: LampReport[] = [];
    light.on('change', (report) => reports.push(report));
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    await plc.hangUp();
    await until(() => connection.state !== 'connected', 'lost');
    assert.deepEqual([light.report().signal, light.report().connected], ['fail-safe', false]);
    assert.equal(reports.at(-1)?.connected, false);
    await plc.listen();
    await until(() => lit(plc) === 'red', 'red');
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    assert.equal(reports.at(-1)?.connected, true);
  });

  it('shows the last verdict again after a loss when it is told to', async () => {
    const plc = await startPlc(cleanup);
    const { light, connection } = await tower(plc, { afterLoss: 'last' });
    light.show('OK');
    await plc.hangUp();
    await until(() => connection.state !== 'connected', 'lost');
    plc.setCoil(green, false);
    await plc.listen();
    await until(() => lit(plc) === 'green', 'green');
  });

  it('puts lamps right that somebody else changed', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, { refreshMs: 40 });
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    plc.setCoil(red, true);
    await until(() => lit(plc) === 'green', 'green alone');
  });

  it('tries a refused write again and says when it got through', async () => {
    const plc = await startPlc(cleanup);
    const { light } = await tower(plc, {}, { responseTimeoutMs: 300 });
    plc.freeze(true);
    const problem = new Promise((resolve) => light.once('problem', resolve));
    const recovered = new Promise((resolve) => light.once('recovered', () => resolve(undefined)));
    light.show('NG');
    await problem;
    plc.freeze(false);
    await recovered;
    assert.equal(lit(plc), 'red');
  });

  it('leaves the fail-safe colour behind when it closes', async () => {
    const plc = await startPlc(cleanup);
    const { light, connection } = await tower(plc);
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    await light.close();
    assert.equal(lit(plc), 'red');
    assert.equal(connection.state, 'closed');
  });

  it('closes in time when the device answers nothing', async () => {
    const plc = await startPlc(cleanup);
    // beyond the limit of this test
    const { light, connection } = await tower(plc, {}, { responseTimeoutMs: 600_000, queueTimeoutMs: 600_000 });
    light.show('OK');
    await until(() => lit(plc) === 'green', 'green');
    plc.freeze(true);
    await light.close(150);
    assert.equal(connection.state, 'closed');
  });

  it('reports without a device', () => {
    const light = cleanup.add(new TowerLight({ ...quiet, device: null }), (it) => it.close());
    const reports: LampReport[] = [];
    light.on('change', (report) => reports.push(report));
    light.start();
    light.show('NG');
    light.fault();
    assert.deepEqual(
      reports.map(({ signal, colour, flashing, connected }) => [signal, colour, flashing, connected]),
      [
        ['idle', 'off', false, null],
        ['ng', 'red', false, null],
        ['fault', 'red', true, null],
      ],
    );
  });
});

describe('lamp profiles', () => {
  const flashing: LampState = { ...DARK, red: 'flashing', buzzer: true };
  const okay: LampState = { ...DARK, green: 'on' };

  it('writes neighbouring coils in one request', () => {
    assert.deepEqual(coils.writes(okay, null), [
      { kind: 'coils', address: 0, values: [true, false, false, false, false] },
    ] satisfies PlcWrite[]);
    assert.deepEqual(coils.writes({ ...DARK, red: 'on' }, okay), [
      { kind: 'coils', address: 0, values: [false, true] },
    ] satisfies PlcWrite[]);
  });

  it('leaves lamps out that are not there', () => {
    const profile = coilProfile({ green: 7, red: 3, yellow: null, blue: null, buzzer: null });
    assert.deepEqual(profile.writes(okay, null), [
      { kind: 'coils', address: 3, values: [false] },
      { kind: 'coils', address: 7, values: [true] },
    ] satisfies PlcWrite[]);
    assert.deepEqual(profile.writes(okay, okay), []);
  });

  it('speaks the register values of the LA6-POE manual', () => {
    // "Signal Tower LA6-POE Operation Manual", 5.3.4: steady on 0101H = 257, flashing 0102H = 258, buzzer pattern 1 0101H = 257
    const profile = patliteProfile({ tiers: { red: 1, yellow: 2, green: 3, blue: 4 }, buzzerPattern: 1 });
    assert.deepEqual(profile.writes(flashing, null), [
      { kind: 'registers', address: 0, values: [258, 256, 256, 256, 0, 257] },
    ] satisfies PlcWrite[]);
    assert.deepEqual(profile.writes(okay, flashing), [
      { kind: 'registers', address: 0, values: [256, 256, 257, 256, 0, 256] },
    ] satisfies PlcWrite[]);
    assert.deepEqual(profile.writes(okay, okay), []);
  });

  it('leaves the tower its other tiers and its buzzer', () => {
    const profile = patliteProfile({ tiers: { red: 1, yellow: null, green: 5, blue: null }, buzzerPattern: null });
    assert.deepEqual(profile.writes(flashing, null), [
      { kind: 'registers', address: 0, values: [258, 0, 0, 0, 256, 0] },
    ] satisfies PlcWrite[]);
  });

  it('writes each register its own value', () => {
    const lamp = (address: number) => ({ address, off: 0, on: 1, flashing: 5 });
    const profile = registerProfile({
      green: { address: 10, off: 100, on: 101, flashing: null },
      red: lamp(20),
      yellow: null,
      blue: null,
      buzzer: lamp(21),
    });
    assert.deepEqual([...profile.flashes], ['red']);
    assert.deepEqual(profile.writes(flashing, null), [
      { kind: 'registers', address: 10, values: [100] },
      { kind: 'registers', address: 20, values: [5, 1] },
    ] satisfies PlcWrite[]);
  });

  it('darkens one lamp before it lights another that is not its neighbour', () => {
    const profile = coilProfile({ green: 0, red: 5, yellow: null, blue: null, buzzer: null });
    assert.deepEqual(profile.writes(okay, { ...DARK, red: 'on' }), [
      { kind: 'coils', address: 5, values: [false] },
      { kind: 'coils', address: 0, values: [true] },
    ] satisfies PlcWrite[]);
  });

  it('refuses two lamps at one place', () => {
    assert.throws(() => coilProfile({ green: 1, red: 1, yellow: null, blue: null, buzzer: null }));
    assert.throws(() => patliteProfile({ tiers: { red: 1, yellow: 1, green: null, blue: null }, buzzerPattern: null }));
    assert.throws(() => patliteProfile({ tiers: { red: 6, yellow: 1, green: null, blue: null }, buzzerPattern: null }));
  });
});
