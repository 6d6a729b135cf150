import { InvalidInput } from '../../engine/domain';
import type { Station } from '../../engine/station';
import type { RoutingPatch } from '../../engine/store';
import { readPartType } from '../shared';
import { readAuditShare, readThresholds } from './config';

/** Changes one setting; resolves when it is stored with its audit entry. */
type Change = (station: Station, payload: Payload, actor: string) => Promise<void>;

type Payload = Readonly<Record<string, unknown>>;

const CHANGES: Readonly<Record<string, Change>> = {
  'set-thresholds': async (station, payload, actor) => {
    await change(station, payload, { thresholds: readThresholds(payload) }, actor);
  },
  'reset-thresholds': async (station, payload, actor) => {
    await change(station, payload, { thresholds: null }, actor);
  },
  'set-audit-share': async (station, payload, actor) => {
    await change(station, payload, { auditShare: readAuditShare(payload.auditShare) }, actor);
  },
};

/** True for the topics that change settings instead of carrying a part. */
export function changesSettings(topic: unknown): topic is string {
  return typeof topic === 'string' && Object.hasOwn(CHANGES, topic);
}

/**
 * Does what a message of these topics asks for.
 *
 * @param actor who changes it, for the audit list
 * @throws {InvalidInput} naming what is wrong with the payload
 */
export async function applySettingChange(
  station: Station,
  topic: string,
  payload: unknown,
  actor: string,
): Promise<void> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new InvalidInput(`A ${topic} message needs an object as payload, for example {"partType": "plate"}.`);
  }
  await CHANGES[topic](station, payload as Payload, actor);
}

async function change(station: Station, payload: Payload, patch: RoutingPatch, actor: string): Promise<void> {
  await station.setRouting(readPartType(payload.partType), patch, actor);
}
