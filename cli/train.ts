import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { picturesInFolder, type TrainingProgress, trainPatchcore } from '../engine/patchcore';
import { numberWithin, partTypeOf, required } from './options';
import { terminal, WrongUse } from './output';

export const trainHelp = `opti-quality train --part-type NAME --ok DIR --out DIR [options]

Learns a part type from pictures of good parts and writes the model package.

  --part-type NAME         name of the part type
  --ok DIR                 folder with pictures (.jpg, .jpeg, .png) of good parts only; at least 8
  --out DIR                the new model package; must not exist, or be empty
  --backbone FILE|ID       starter (default), or an ONNX file: a feature extractor or a whole classifier
  --false-reject-rate R    share of good parts that may be rejected, 0.0001 to 0.5 (default 0.01)
  --input-size PIXELS      side of the model's input, a multiple of 32 from 64 to 1024 (default 288)
  --mode MODE              stretch (default), letterbox or crop: how a picture is laid into the input
  --bank-size N            patches kept in the memory bank (default 2000)
  --seed N                 the same seed gives the same model (default 1)
  --json                   one JSON object as the last line on stdout
  -h, --help               this text`;

const MODES = ['stretch', 'letterbox', 'crop'] as const;

export async function train(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'part-type': { type: 'string' },
      ok: { type: 'string' },
      out: { type: 'string' },
      backbone: { type: 'string' },
      'false-reject-rate': { type: 'string' },
      'input-size': { type: 'string' },
      mode: { type: 'string' },
      'bank-size': { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const partType = partTypeOf(values['part-type']);
  const folder = required(values.ok, 'ok');
  const outFolder = resolve(required(values.out, 'out'));
  const mode = MODES.find((known) => known === (values.mode ?? 'stretch'));
  if (mode === undefined) throw new WrongUse(`--mode takes ${MODES.join(', ')}, not ${values.mode}.`);
  const side = numberWithin(values['input-size'], 'input-size', 64, 1024);
  const falseRejectRate = numberWithin(values['false-reject-rate'], 'false-reject-rate', 0.0001, 0.5);
  const coresetSize = numberWithin(values['bank-size'], 'bank-size', 1, 100_000);
  const seed = numberWithin(values.seed, 'seed', 0, 2 ** 31);

  const pictures = await picturesInFolder(folder);
  const cancel = new AbortController();
  const onInterrupt = () => cancel.abort(new Error('cancelled; nothing was written'));
  process.once('SIGINT', onInterrupt);
  const start = performance.now();
  try {
    const { manifest, skipped } = await trainPatchcore({
      partType,
      pictures,
      count: pictures.length,
      outFolder,
      version: '1',
      source: resolve(folder),
      backbone: values.backbone,
      input: { mode, ...(side && { width: side, height: side }) },
      falseRejectRate,
      coresetSize,
      seed,
      threads: availableParallelism(),
      signal: cancel.signal,
      onProgress: progressPrinter(),
    });
    const seconds = Math.round((performance.now() - start) / 10) / 100;
    if (process.stderr.isTTY) terminal.note('');
    for (const { name, reason } of skipped) terminal.note(`left out: ${name}: ${reason}`);
    const { bank, calibration, thresholds } = manifest;
    if (values.json) {
      const counts = { used: manifest.dataset.count, bank: bank.pictures, calibration: calibration.pictures };
      terminal.print(
        JSON.stringify({
          model: outFolder,
          partType,
          version: manifest.version,
          pictures: { ...counts, skipped: skipped.length },
          skipped,
          bankSize: bank.size,
          thresholds,
          statement: calibration.statement,
          backbone: manifest.backbone.id,
          seconds,
        }),
      );
    } else {
      terminal.print(`Model of ${partType} written to ${outFolder} in ${seconds} s.`);
      terminal.print(`${bank.pictures} pictures in the bank (${bank.size} patches), ${calibration.pictures} held out.`);
      terminal.print(`accept <= ${thresholds.accept.toFixed(4)}, reject > ${thresholds.reject.toFixed(4)}`);
      terminal.print(calibration.statement);
      if (skipped.length > 0) terminal.print(`${skipped.length} pictures could not be read and were left out.`);
    }
    return 0;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** A line for every tenth and every new stage; on a terminal every change, in place. */
function progressPrinter(): (progress: TrainingProgress) => void {
  let last = '';
  return ({ stage, percent, remainingSeconds, pictures, count }) => {
    const step = `${stage} ${Math.floor(percent / 10)}`;
    if (step === last && !process.stderr.isTTY) return;
    last = step;
    const left = remainingSeconds === null ? '' : `, about ${remainingSeconds} s left`;
    terminal.progress(`${String(Math.floor(percent)).padStart(3)} %  ${stage}  ${pictures}/${count} pictures${left}`);
  };
}
