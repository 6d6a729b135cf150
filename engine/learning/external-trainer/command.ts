import { InvalidInput } from '../../domain';

/** What stands in braces in the arguments of the command. */
export interface CommandValues {
  /** The data file of the dataset (YOLO). */
  readonly data: string;
  /** Where the ONNX file must be when the command has ended. */
  readonly out: string;
  /** Folder for results.csv and whatever else the trainer leaves. */
  readonly results: string;
  /** ONNX file of the detector in production, or the one wished. */
  readonly base: string;
  readonly epochs: number;
  /** Side of the network's input in pixels. */
  readonly imgsz: number;
  readonly batch: number;
}

const NAMES: readonly (keyof CommandValues)[] = ['data', 'out', 'results', 'base', 'epochs', 'imgsz', 'batch'];
const NEEDED: readonly (keyof CommandValues)[] = ['data', 'out'];

/**
 * The program and its arguments with values for `{data}`, `{out}` and so on. Arguments are never read by a shell: a value
 * stays within its argument, whatever it holds.
 *
 * @throws {InvalidInput} for an empty command, an unknown name in braces, or one without `{data}` or `{out}`
 */
export function fillCommand(command: readonly string[], values: CommandValues): { program: string; args: string[] } {
  const [program, ...args] = command;
  if (!program) throw new InvalidInput('The command of the external trainer is empty.');
  const used = new Set<string>();
  const filled = args.map((argument) =>
    argument.replaceAll(/\{([a-z]+)\}/g, (_, name: string) => {
      used.add(name);
      const value = NAMES.find((known) => known === name);
      if (value !== undefined) return String(values[value]);
      throw new InvalidInput(
        `The command of the external trainer holds {${name}}. Known are ${NAMES.map((known) => `{${known}}`).join(', ')}.`,
        { name },
      );
    }),
  );
  const missing = NEEDED.find((name) => !used.has(name));
  if (missing)
    throw new InvalidInput(`The command of the external trainer needs {${missing}} in an argument.`, { missing });
  return { program, args: filled };
}

/** Nothing is sent to anybody and nothing is installed by the trainers that honour these. */
export const QUIET_ENVIRONMENT: Readonly<Record<string, string>> = {
  YOLO_OFFLINE: 'true',
  YOLO_AUTOINSTALL: 'false',
  YOLO_VERBOSE: 'true',
  WANDB_DISABLED: 'true',
  WANDB_MODE: 'disabled',
  COMET_MODE: 'disabled',
  CLEARML_OFFLINE_MODE: '1',
  NEPTUNE_MODE: 'offline',
  HF_HUB_OFFLINE: '1',
  HF_HUB_DISABLE_TELEMETRY: '1',
  PIP_NO_INDEX: '1',
  DO_NOT_TRACK: '1',
  // what is printed is read while it runs
  PYTHONUNBUFFERED: '1',
};
