import {
  coilProfile,
  LAMP_COLOURS,
  type LampColour,
  type LampProfile,
  type LampRegister,
  patliteProfile,
  registerProfile,
  type SteadyLamp,
  type TowerLightOptions,
} from '../../engine/plc';
import { readAddress, readChoice, readOptionalAddress, readUnit } from '../plc-connection/config';
import { type ConfigSchema, type NumberField, readInteger, readNumber } from '../shared';

export const PROFILES = ['messages', 'coils', 'patlite', 'registers'] as const;

export interface TowerLightConfig {
  readonly version: number;
  readonly name: string;
  readonly profile: (typeof PROFILES)[number];
  /** Id of the plc-connection; not used by the profile `messages`. */
  readonly plc: string;
  /** Empty: the connection's. */
  readonly unit: NumberField;
  /** Id of the inspection-station whose faults and waiting parts are shown; may be empty. */
  readonly station: string;
  /** Coil addresses, counted from 0; empty: there is no such lamp. */
  readonly coilGreen: NumberField;
  readonly coilRed: NumberField;
  readonly coilYellow: NumberField;
  readonly coilBlue: NumberField;
  readonly coilBuzzer: NumberField;
  /** Tiers of the LA6-POE, 1..5; empty: there is no such lamp. */
  readonly tierGreen: NumberField;
  readonly tierRed: NumberField;
  readonly tierYellow: NumberField;
  readonly tierBlue: NumberField;
  /** 1..3; empty: the buzzer is left alone. */
  readonly buzzerPattern: NumberField;
  /** Register and values of each lamp; an empty address: there is no such lamp; an empty flashing value: toggled. */
  readonly registerGreenAddress: NumberField;
  readonly registerGreenOff: NumberField;
  readonly registerGreenOn: NumberField;
  readonly registerGreenFlashing: NumberField;
  readonly registerRedAddress: NumberField;
  readonly registerRedOff: NumberField;
  readonly registerRedOn: NumberField;
  readonly registerRedFlashing: NumberField;
  readonly registerYellowAddress: NumberField;
  readonly registerYellowOff: NumberField;
  readonly registerYellowOn: NumberField;
  readonly registerYellowFlashing: NumberField;
  readonly registerBlueAddress: NumberField;
  readonly registerBlueOff: NumberField;
  readonly registerBlueOn: NumberField;
  readonly registerBlueFlashing: NumberField;
  readonly registerBuzzerAddress: NumberField;
  readonly registerBuzzerOff: NumberField;
  readonly registerBuzzerOn: NumberField;
  /** Seconds a verdict stays lit; 0: until the next one. */
  readonly holdSeconds: NumberField;
  readonly idle: SteadyLamp;
  readonly failSafe: SteadyLamp;
  readonly afterLoss: 'fail-safe' | 'last';
  readonly buzzer: 'never' | 'ng' | 'fault' | 'ng-and-fault';
  readonly buzzerSeconds: NumberField;
  /** Seconds between two writes of everything; 0: never. */
  readonly refreshSeconds: NumberField;
}

export const schema: ConfigSchema<TowerLightConfig> = {
  defaults: {
    name: '',
    profile: 'coils',
    plc: '',
    unit: '',
    station: '',
    coilGreen: 0,
    coilRed: 1,
    coilYellow: 2,
    coilBlue: 3,
    coilBuzzer: 4,
    tierGreen: 3,
    tierRed: 1,
    tierYellow: 2,
    tierBlue: 4,
    buzzerPattern: 1,
    registerGreenAddress: 0,
    registerGreenOff: 0,
    registerGreenOn: 1,
    registerGreenFlashing: '',
    registerRedAddress: 1,
    registerRedOff: 0,
    registerRedOn: 1,
    registerRedFlashing: '',
    registerYellowAddress: 2,
    registerYellowOff: 0,
    registerYellowOn: 1,
    registerYellowFlashing: '',
    registerBlueAddress: 3,
    registerBlueOff: 0,
    registerBlueOn: 1,
    registerBlueFlashing: '',
    registerBuzzerAddress: 4,
    registerBuzzerOff: 0,
    registerBuzzerOn: 1,
    holdSeconds: 0,
    idle: 'off',
    failSafe: 'red',
    afterLoss: 'fail-safe',
    buzzer: 'never',
    buzzerSeconds: 3,
    refreshSeconds: 10,
  },
  migrations: [
    // 0: a node placed without a version, by hand-written flows
    (config) => ({ ...config, version: 1 }),
  ],
};

/** The configuration with its texts read and checked. */
export interface TowerLightSettings {
  /** Null: messages only. */
  readonly profile: LampProfile | null;
  readonly unit: number | undefined;
  readonly options: Omit<TowerLightOptions, 'device'>;
}

const STEADY_LAMPS: readonly SteadyLamp[] = ['off', ...LAMP_COLOURS];

/**
 * Reads and checks what the editor's form gives as text; only what the chosen profile needs.
 *
 * @throws {InvalidInput} naming the setting and what it must be
 */
export function readTowerLightSettings(config: TowerLightConfig): TowerLightSettings {
  const buzzer = readChoice('buzzer', config.buzzer, ['never', 'ng', 'fault', 'ng-and-fault'] as const);
  return {
    profile: readProfile(config),
    unit: readUnit(config.unit),
    options: {
      holdMs: readNumber('hold time (s)', config.holdSeconds, 0, 86_400) * 1000,
      idle: readChoice('idle', config.idle, STEADY_LAMPS),
      failSafe: readChoice('fail-safe colour', config.failSafe, STEADY_LAMPS),
      afterLoss: readChoice('after a lost connection', config.afterLoss, ['fail-safe', 'last'] as const),
      buzzer: {
        onNg: buzzer === 'ng' || buzzer === 'ng-and-fault',
        onFault: buzzer === 'fault' || buzzer === 'ng-and-fault',
        milliseconds: readNumber('buzzer (s)', config.buzzerSeconds, 0, 600) * 1000,
      },
      refreshMs: readNumber('refresh (s)', config.refreshSeconds, 0, 3600) * 1000,
    },
  };
}

function readProfile(config: TowerLightConfig): LampProfile | null {
  switch (readChoice('device', config.profile, PROFILES)) {
    case 'messages':
      return null;
    case 'coils':
      return coilProfile({
        green: readOptionalAddress('green', config.coilGreen),
        red: readOptionalAddress('red', config.coilRed),
        yellow: readOptionalAddress('yellow', config.coilYellow),
        blue: readOptionalAddress('blue', config.coilBlue),
        buzzer: readOptionalAddress('buzzer', config.coilBuzzer),
      });
    case 'patlite':
      return patliteProfile({
        tiers: {
          green: readTier('green', config.tierGreen),
          red: readTier('red', config.tierRed),
          yellow: readTier('yellow', config.tierYellow),
          blue: readTier('blue', config.tierBlue),
        },
        buzzerPattern: isEmpty(config.buzzerPattern) ? null : readInteger('buzzer pattern', config.buzzerPattern, 1, 3),
      });
    case 'registers':
      return registerProfile({
        green: readRegister('green', config, 'Green'),
        red: readRegister('red', config, 'Red'),
        yellow: readRegister('yellow', config, 'Yellow'),
        blue: readRegister('blue', config, 'Blue'),
        buzzer: readRegister('buzzer', { ...config, registerBuzzerFlashing: '' }, 'Buzzer'),
      });
  }
}

function readTier(colour: LampColour, tier: NumberField): number | null {
  return isEmpty(tier) ? null : readInteger(`tier of ${colour}`, tier, 1, 5);
}

function readRegister<Lamp extends string>(
  name: string,
  config: Readonly<Record<`register${Lamp}${'Address' | 'Off' | 'On' | 'Flashing'}`, NumberField>>,
  lamp: Lamp,
): LampRegister | null {
  const address = config[`register${lamp}Address`];
  if (isEmpty(address)) return null;
  const flashing = config[`register${lamp}Flashing`];
  return {
    address: readAddress(name, address),
    off: readInteger(`${name}: value for off`, config[`register${lamp}Off`], 0, 65_535),
    on: readInteger(`${name}: value for on`, config[`register${lamp}On`], 0, 65_535),
    flashing: isEmpty(flashing) ? null : readInteger(`${name}: value for flashing`, flashing, 0, 65_535),
  };
}

function isEmpty(value: NumberField): boolean {
  return String(value).trim() === '';
}
