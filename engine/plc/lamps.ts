/** The lamps a tower light may have. */
export const LAMP_COLOURS = ['green', 'red', 'yellow', 'blue'] as const;
export type LampColour = (typeof LAMP_COLOURS)[number];
export type LampMode = 'off' | 'on' | 'flashing';

/** What a tower light shows and sounds. */
export interface LampState extends Readonly<Record<LampColour, LampMode>> {
  readonly buzzer: boolean;
}

export const DARK: LampState = { green: 'off', red: 'off', yellow: 'off', blue: 'off', buzzer: false };

/** True when both show and sound the same. */
export function sameLamps(one: LampState, other: LampState): boolean {
  return one.buzzer === other.buzzer && LAMP_COLOURS.every((colour) => one[colour] === other[colour]);
}
