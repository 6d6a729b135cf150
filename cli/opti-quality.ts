#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../engine/domain';
import { classify, classifyHelp } from './classify';
import { dataset, datasetHelp } from './dataset';
import { detect, detectHelp } from './detect';
import { evaluate, evaluateHelp } from './evaluate';
import { evaluateDetector, evaluateDetectorHelp } from './evaluate-detector';
import { finetune, finetuneHelp } from './finetune';
import { infer, inferHelp } from './infer';
import { models, modelsHelp } from './models';
import { describe, errorJson, terminal, WrongUse } from './output';
import { rescoreHelp, rescoreHistory } from './rescore';
import { train, trainHelp } from './train';
import { trainClassifier, trainClassifierHelp } from './train-classifier';

interface Command {
  readonly help: string;
  /** @returns the exit code */
  readonly run: (args: string[]) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  train: { help: trainHelp, run: train },
  evaluate: { help: evaluateHelp, run: evaluate },
  infer: { help: inferHelp, run: infer },
  detect: { help: detectHelp, run: detect },
  'evaluate-detector': { help: evaluateDetectorHelp, run: evaluateDetector },
  finetune: { help: finetuneHelp, run: finetune },
  'train-classifier': { help: trainClassifierHelp, run: trainClassifier },
  classify: { help: classifyHelp, run: classify },
  dataset: { help: datasetHelp, run: dataset },
  models: { help: modelsHelp, run: models },
  rescore: { help: rescoreHelp, run: rescoreHistory },
};

const HELP = `opti-quality <command> [options]

Commands:
  train     learn a part type from pictures of good parts
  evaluate  judge good and defective pictures and print how well the model tells them apart
  infer     score pictures
  detect    find the things a detector (YOLO) knows in pictures
  evaluate-detector
            measure a detector on a labelled dataset: COCO's figures, each class, confusion
  finetune  teach a detector what is on labelled pictures
  train-classifier
            learn to name the class of whole pictures
  classify  name the class of pictures, or measure how well a labelled folder is named
  dataset   check a dataset, write it in another format, or import it into a station
  models    list and pull the networks to train with; export, import and verify models
  rescore   score the pictures a station has kept with another version of a model

opti-quality <command> --help tells the options. Exit codes: 0 fine, 1 failed, 2 wrong use.
With --json a failed or wrongly used command prints {"error": {"code", "message"}} as its last line.`;

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.print(COMMANDS[rest[0]]?.help ?? HELP);
    return 0;
  }
  if (name === '--version' || name === '-v') {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    terminal.print(version);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (command === undefined) {
    terminal.note(name === undefined ? HELP : `There is no command ${name}.\n\n${HELP}`);
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.print(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    const wrongUse = error instanceof WrongUse || isArgumentError(error);
    terminal.note(wrongUse ? `${describe(error)}\n\n${command.help}` : `Failed: ${describe(error)}`);
    if (rest.includes('--json')) terminal.print(errorJson(wrongUse ? new WrongUse(describe(error)) : error));
    return wrongUse ? 2 : 1;
  }
}

function isArgumentError(error: unknown): boolean {
  return ((error as NodeJS.ErrnoException).code ?? '').startsWith('ERR_PARSE_ARGS');
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    terminal.note(describe(error));
    process.exitCode = 1;
  },
);
