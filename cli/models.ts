import { listBackbones, listHelp, pullBackbone, pullHelp } from './models-backbones';
import { exportHelp, exportModel } from './models-export';
import { importHelp, importModel } from './models-import';
import { verifyHelp, verifyModel } from './models-verify';
import { WrongUse } from './output';

interface Subcommand {
  readonly help: string;
  /** @returns the exit code */
  readonly run: (args: string[]) => Promise<number>;
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  list: { help: listHelp, run: listBackbones },
  pull: { help: pullHelp, run: pullBackbone },
  export: { help: exportHelp, run: exportModel },
  import: { help: importHelp, run: importModel },
  verify: { help: verifyHelp, run: verifyModel },
};

export const modelsHelp = `opti-quality models <what> ...

${Object.values(SUBCOMMANDS)
  .map(({ help }) => help)
  .join('\n\n')}

  --json                   one JSON object as the last line on stdout
  -h, --help               this text`;

export async function models([name, ...rest]: string[]): Promise<number> {
  const known = Object.keys(SUBCOMMANDS).join(', ');
  if (name === undefined) throw new WrongUse(`Say what to do with models: ${known}.`);
  if (!Object.hasOwn(SUBCOMMANDS, name)) throw new WrongUse(`There is no models ${name}. There is: ${known}.`);
  return SUBCOMMANDS[name].run(rest);
}
