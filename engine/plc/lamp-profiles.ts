import { InvalidInput } from '../domain';
import type { PlcWrite } from './connection';
import { LAMP_COLOURS, type LampColour, type LampMode, type LampState } from './lamps';

/** How a kind of tower light is told what to show. */
export interface LampProfile {
  /** Lamps the device flashes by itself; the driver toggles the others. */
  readonly flashes: ReadonlySet<LampColour>;
  /**
   * The writes that bring the device from `previous` to `state`; all of them when `previous` is null (not known).
   * A lamp not in `flashes` is only ever `on` or `off` here.
   */
  writes(state: LampState, previous: LampState | null): PlcWrite[];
}

/** Coil addresses, counted from 0; null: there is no such lamp. */
export type CoilAddresses = Readonly<Record<LampColour | 'buzzer', number | null>>;

/** One coil a lamp, for signal columns on the outputs of a PLC or a remote I/O. */
export function coilProfile(addresses: CoilAddresses): LampProfile {
  const used = Object.values(addresses).filter((address) => address !== null);
  if (new Set(used).size !== used.length) throw new InvalidInput('Two lamps have the same coil address.');
  const lamps = ([...LAMP_COLOURS, 'buzzer'] as const)
    .map((lamp) => ({ lamp, address: addresses[lamp] }))
    .filter((entry): entry is { lamp: LampColour | 'buzzer'; address: number } => entry.address !== null)
    .sort((one, other) => one.address - other.address);
  const lit = (state: LampState, lamp: LampColour | 'buzzer') =>
    lamp === 'buzzer' ? state.buzzer : state[lamp] !== 'off';
  return {
    flashes: new Set(),
    writes(state, previous) {
      const entries = lamps.map(({ lamp, address }) => ({
        address,
        value: lit(state, lamp),
        lit: lit(state, lamp),
        changed: previous === null || lit(state, lamp) !== lit(previous, lamp),
      }));
      return changes(entries).map((run) => ({
        kind: 'coils',
        address: run[0].address,
        values: run.map(({ value }) => value),
      }));
    },
  };
}

export interface PatliteOptions {
  /** Which tier (1 is the first LED unit, 5 the last) has which colour; null: there is none. */
  readonly tiers: Readonly<Record<LampColour, number | null>>;
  /** Buzzer pattern 1..3; null: leave the buzzer alone. */
  readonly buzzerPattern: number | null;
}

const PATLITE_TIERS = 5;
/** The high byte that makes the tower obey a register; without it the register is left alone. */
const PATLITE_CONTROL = 0x0100;
const PATLITE_MODES: Readonly<Record<LampMode, number>> = { off: 0, on: 1, flashing: 2 };

/**
 * PATLITE LA6-POE signal tower in its signal tower mode: one holding register a tier (address 0 to 4 on the wire) and one
 * for the buzzer (5), written in one request. High byte 01: obey; low byte: 00 off, 01 on, 02 flashing, for the buzzer 00
 * stop or the pattern.
 *
 * @see "Signal Tower LA6-POE Operation Manual", PATLITE Corporation, section 5.3.3 "Register Address" and 5.3.4 "Example":
 *      registers 40001 to 40006, 0101H = steady on, 0102H = flashing, buzzer patterns 1 to 3; 5.3.5: the address on the wire
 *      is the register's number less one.
 */
export function patliteProfile(options: PatliteOptions): LampProfile {
  const { tiers, buzzerPattern } = options;
  const used = Object.values(tiers).filter((tier) => tier !== null);
  if (used.some((tier) => !Number.isInteger(tier) || tier < 1 || tier > PATLITE_TIERS)) {
    throw new InvalidInput(`A tier of the LA6-POE is 1 to ${PATLITE_TIERS}.`);
  }
  if (new Set(used).size !== used.length) throw new InvalidInput('Two colours have the same tier.');
  if (buzzerPattern !== null && ![1, 2, 3].includes(buzzerPattern)) {
    throw new InvalidInput('The buzzer pattern of the LA6-POE is 1, 2 or 3.');
  }
  const registers = (state: LampState): number[] => {
    const values = new Array<number>(PATLITE_TIERS + 1).fill(0);
    for (const colour of LAMP_COLOURS) {
      const tier = tiers[colour];
      if (tier !== null) values[tier - 1] = PATLITE_CONTROL | PATLITE_MODES[state[colour]];
    }
    if (buzzerPattern !== null) values[PATLITE_TIERS] = PATLITE_CONTROL | (state.buzzer ? buzzerPattern : 0);
    return values;
  };
  return {
    flashes: new Set(LAMP_COLOURS),
    writes(state, previous) {
      const values = registers(state);
      const before = previous && registers(previous);
      if (before?.every((value, index) => value === values[index])) return [];
      return [{ kind: 'registers', address: 0, values }];
    },
  };
}

/** A register and what to write into it. */
export interface LampRegister {
  /** Counted from 0. */
  readonly address: number;
  readonly off: number;
  readonly on: number;
  /** Null: the device cannot flash this lamp, it is toggled. */
  readonly flashing: number | null;
}

export type LampRegisters = Readonly<Record<LampColour | 'buzzer', LampRegister | null>>;

/** Any device with one holding register a lamp. */
export function registerProfile(lamps: LampRegisters): LampProfile {
  const used = Object.values(lamps).flatMap((lamp) => (lamp === null ? [] : [lamp.address]));
  if (new Set(used).size !== used.length) throw new InvalidInput('Two lamps have the same register address.');
  const entries = ([...LAMP_COLOURS, 'buzzer'] as const)
    .map((lamp) => ({ lamp, register: lamps[lamp] }))
    .filter((entry): entry is { lamp: LampColour | 'buzzer'; register: LampRegister } => entry.register !== null)
    .sort((one, other) => one.register.address - other.register.address);
  const registerValue = (state: LampState, lamp: LampColour | 'buzzer', register: LampRegister): number => {
    const mode = lamp === 'buzzer' ? (state.buzzer ? 'on' : 'off') : state[lamp];
    return mode === 'flashing' ? (register.flashing ?? register.on) : register[mode];
  };
  return {
    flashes: new Set(LAMP_COLOURS.filter((colour) => lamps[colour] !== null && lamps[colour].flashing !== null)),
    writes(state, previous) {
      const values = entries.map(({ lamp, register }) => {
        const value = registerValue(state, lamp, register);
        return {
          address: register.address,
          value,
          lit: value !== register.off,
          changed: previous === null || value !== registerValue(previous, lamp, register),
        };
      });
      return changes(values).map((run) => ({
        kind: 'registers',
        address: run[0].address,
        values: run.map(({ value }) => value),
      }));
    },
  };
}

interface LampEntry {
  readonly address: number;
  readonly lit: boolean;
  readonly changed: boolean;
}

/**
 * The entries to write, grouped into requests: each group is a row of neighbouring addresses from its first to its last
 * changed lamp. Groups that only darken come first, so that two verdicts are never lit at once.
 *
 * @param entries ascending by address
 */
function changes<Entry extends LampEntry>(entries: readonly Entry[]): Entry[][] {
  const rows: Entry[][] = [];
  for (const entry of entries) {
    const row = rows.at(-1);
    if (row && row[row.length - 1].address + 1 === entry.address) row.push(entry);
    else rows.push([entry]);
  }
  const lights = (row: readonly Entry[]) => Number(row.some((entry) => entry.changed && entry.lit));
  return rows
    .filter((row) => row.some(({ changed }) => changed))
    .map((row) =>
      row.slice(
        row.findIndex(({ changed }) => changed),
        row.findLastIndex(({ changed }) => changed) + 1,
      ),
    )
    .sort((one, other) => lights(one) - lights(other));
}
