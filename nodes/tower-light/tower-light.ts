import type { NodeAPI } from 'node-red';
import { InvalidInput } from '../../engine/domain';
import { type LampReport, TowerLight } from '../../engine/plc';
import type { Station } from '../../engine/station';
import { followConnection, plcOf, reportProblem } from '../plc-connection/plc-link';
import { defineNode, type InspectionMessage, type InspectionNode, stationOf } from '../shared';
import { readTowerLightSettings, schema, type TowerLightConfig } from './config';

export = (RED: NodeAPI): void => {
  defineNode<TowerLightConfig>(RED, 'tower-light', schema, (node, config) => {
    const { profile, unit, options } = readTowerLightSettings(config);
    const device = profile && { ...plcOf(RED, config.plc), profile, unit };
    const light = new TowerLight({ ...options, device });
    const faults = new Faults(light);
    let station: Station | null = null;

    const show = () => showReport(node, light.report());
    light.on('change', (report) => {
      if (report.connected !== false) showReport(node, report);
      node.send({ topic: 'lamps', payload: report });
      tellStation(station, node, report);
    });
    light.on('problem', (error) => reportProblem(node, error));
    light.on('recovered', show);

    if (config.station !== '') {
      const attach = (opened: Station) => {
        station = opened;
        faults.open();
        const stop = followStation(opened, node, light, faults);
        tellStation(station, node, light.report());
        return () => {
          station = null;
          stop();
          opened.events.emit('lamp', { ...LAMP_REMOVED, node: node.id });
        };
      };
      stationOf(RED, node, config.station).whenOpen(attach, () => faults.notOpen());
    }
    if (device) followConnection(node, device.connection, show);
    // later, because nodes that come after this one in the flow would miss the first message
    const starting = setImmediate(() => light.start());

    return {
      onInput(message) {
        act(light, faults, message);
        return null;
      },
      onClose() {
        clearImmediate(starting);
        return light.close();
      },
    };
  });
};

/**
 * Red flashing, from three sources: a fault told by message stays until it is cleared by message; a fault of the station
 * ends with the next verdict of a model, which shows that the line inspects again; a station that cannot open, when it is
 * open.
 */
class Faults {
  private told = false;
  private ofStation = false;
  private closed = false;

  constructor(private readonly light: TowerLight) {}

  tell(): void {
    this.told = true;
    this.light.fault();
  }

  station(): void {
    this.ofStation = true;
    this.light.fault();
  }

  inspected(): void {
    this.ofStation = false;
    this.update();
  }

  notOpen(): void {
    this.closed = true;
    this.light.fault();
  }

  open(): void {
    this.closed = false;
    this.update();
  }

  clear(): void {
    this.told = false;
    this.ofStation = false;
    this.light.clear();
    if (this.closed) this.light.fault();
  }

  private update(): void {
    if (!this.told && !this.ofStation && !this.closed) this.light.clearFault();
  }
}

/** What messages with these topics do. */
const COMMANDS = new Map<unknown, (light: TowerLight, faults: Faults, payload: unknown) => void>([
  ['fault', (_, faults) => faults.tell()],
  ['clear', (_, faults) => faults.clear()],
  ['lamp-test', (light) => light.test()],
  ['busy', (light) => light.busy()],
  ['waiting', (light, _, payload) => light.waiting(Number(payload) > 0)],
  ['queue', (light, _, payload) => light.waiting(pendingOf(payload) > 0)],
  // the copy of a part whose own message came by already
  ['audit', () => undefined],
  // a picture that the review queue did not take
  ['declined', () => undefined],
]);

function act(light: TowerLight, faults: Faults, { topic, payload, inspection, late }: InspectionMessage): void {
  const command = COMMANDS.get(topic);
  if (command) {
    command(light, faults, payload);
    return;
  }
  const verdict = inspection?.decision?.verdict;
  if (!verdict) {
    throw new InvalidInput(
      'The message carries no verdict. Wire tower-light behind a confidence-router, or send the topic fault, clear, busy, waiting or lamp-test.',
    );
  }
  // its part is gone: the lamp is that of the part in front
  if (late !== true) light.show(verdict);
}

/** The count in a message of review-queue's second output. */
function pendingOf(payload: unknown): number {
  return typeof payload === 'object' && payload !== null ? Number((payload as { pending?: unknown }).pending) : 0;
}

/** Shows the station's faults, and blue while parts wait for a person. */
function followStation(station: Station, node: InspectionNode, light: TowerLight, faults: Faults): () => void {
  let asked = 0;
  const count = () => {
    asked += 1;
    const question = asked;
    station.reviews.stats().then(
      ({ pending }) => {
        // an answer that a newer question overtook is out of date
        if (question === asked) light.waiting(pending > 0);
      },
      (error) => node.warn(node.translation.message(error)),
    );
  };
  const stops = [
    station.events.on('fault', () => faults.station()),
    station.events.on('inspection-settled', ({ decision }) => {
      if (decision?.by === 'model') faults.inspected();
    }),
    station.events.on('review-changed', count),
  ];
  count();
  return () => {
    for (const stop of stops) stop();
  };
}

const LAMP_REMOVED = { colour: null, flashing: false, connected: false, removed: true } as const;

/** The dashboard shows the lamps through the station. */
function tellStation(station: Station | null, node: InspectionNode, report: LampReport): void {
  const { colour, flashing, connected } = report;
  station?.events.emit('lamp', {
    node: node.id,
    colour: colour === 'off' ? null : colour,
    flashing,
    connected: connected !== false,
  });
}

function showReport(node: InspectionNode, { signal, colour, flashing }: LampReport): void {
  const { state, translation } = node;
  const text = translation.shared(`status.lamp-${signal}`, signal);
  const lamp = colour === 'off' ? '' : translation.shared(`status.lamp-${colour}`, colour);
  const flash = flashing ? ` ${translation.shared('status.lamp-flashing', 'flashing')}` : '';
  const shown = lamp === '' ? text : `${text} · ${lamp}${flash}`;
  if (signal === 'fault' || signal === 'fail-safe') state.degraded(shown);
  else if (signal === 'idle' || signal === 'busy') state.idle(shown);
  else state.ready(shown);
}
