import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidInput, sha256Of, type Verdict } from '../engine/domain';
import { PictureUnreadable } from '../engine/imaging';
import {
  type AnomalyModel,
  type AnomalyResult,
  learntPictures,
  PatchcoreModel,
  type PictureFile,
  picturesInFolder,
  ReferenceMismatch,
  readablePicturesInFolder,
} from '../engine/patchcore';
import {
  auroc,
  aurocInterval,
  averagePrecision,
  clopperPearson,
  f1Max,
  type MapWithTruth,
  pixelAuroc,
  pro,
} from '../engine/statistics';
import { evaluateReferences, evaluateReferencesHelp } from './evaluate-references';
import { loadModel, verdictOf } from './judge';
import { required } from './options';
import { describe, percentile, terminal, WrongUse } from './output';
import { withTruth } from './truth';

export const evaluateHelp = `opti-quality evaluate --model DIR --ok DIR --defects DIR [--masks DIR] [--json]

Scores good and defective pictures that the model has never seen and prints how well it tells them apart.

  --model DIR    the model package
  --ok DIR       pictures of good parts
  --defects DIR  pictures of defective parts
  --masks DIR    white where a defect is, black elsewhere; named like the picture (x.png or x_mask.png for x.jpg).
                 Adds pixel AUROC and PRO, computed at the resolution of the model's input
  --json         one JSON object as the last line on stdout
  -h, --help     this text

${evaluateReferencesHelp}`;

interface Judged {
  readonly name: string;
  readonly result: AnomalyResult;
  readonly truth?: MapWithTruth;
}

interface Side {
  readonly judged: readonly Judged[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

type Counts = Readonly<Record<Verdict | 'total', number>>;

export async function evaluate(args: string[]): Promise<number> {
  if (args.some((arg) => /^--references(=|$)/.test(arg))) return evaluateReferences(args);
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      ok: { type: 'string' },
      defects: { type: 'string' },
      masks: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const modelFolder = required(values.model, 'model');
  const okFolder = required(values.ok, 'ok');
  const defectFolder = required(values.defects, 'defects');
  const masks = values.masks === undefined ? null : await masksIn(values.masks);
  const good = await picturesInFolder(okFolder);
  const defective = await picturesInFolder(defectFolder);
  const model = await loadModel(modelFolder);
  try {
    if (masks !== null && !(model instanceof PatchcoreModel)) {
      throw new WrongUse('--masks needs a model with a memory bank; a reference model is measured with --references.');
    }
    const learnt = await learntPictures(modelFolder);
    const goodSide = await judge(model, good, masks && 'none', learnt);
    const defectSide = await judge(model, defective, masks, learnt);
    const report = reportOf(model, goodSide, defectSide, masks !== null);
    if (values.json) terminal.print(JSON.stringify(report));
    else printReport(report);
    return 0;
  } finally {
    await model.dispose();
  }
}

type Masks = ReadonlyMap<string, () => Promise<Buffer>>;

async function judge(
  model: AnomalyModel,
  pictures: readonly PictureFile[],
  masks: Masks | 'none' | null,
  learnt: ReadonlySet<string>,
): Promise<Side> {
  const judged: Judged[] = [];
  const skipped: { name: string; reason: string }[] = [];
  let withoutMask = 0;
  let known = 0;
  for (const [index, { name, picture }] of pictures.entries()) {
    try {
      const bytes = await picture();
      if (learnt.has(sha256Of(bytes))) known += 1;
      const result = await model.score(bytes);
      const mask = masks === null || masks === 'none' ? undefined : masks.get(stemOf(name));
      const isMeasured = masks === 'none' || mask !== undefined;
      const measured =
        isMeasured && model instanceof PatchcoreModel
          ? await withTruth(await model.measure(bytes), await mask?.())
          : undefined;
      const isMarked = masks === 'none' || measured?.mask?.includes(1) === true;
      if (masks !== null && !isMarked) withoutMask += 1;
      judged.push({ name, result, ...(measured && isMarked && { truth: measured }) });
    } catch (error) {
      const isOfOnePicture = error instanceof PictureUnreadable || error instanceof ReferenceMismatch;
      if (!isOfOnePicture && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
      skipped.push({ name, reason: describe(error) });
      terminal.note(`left out: ${name}: ${describe(error)}`);
    }
    if (process.stderr.isTTY) terminal.progress(`${index + 1}/${pictures.length}`);
  }
  if (process.stderr.isTTY) terminal.note('');
  if (withoutMask > 0)
    terminal.note(
      `${withoutMask} defective pictures have no mask, or one without white, and do not count for the pixel figures.`,
    );
  if (known > 0) {
    terminal.note(
      `${known} of these pictures were learnt by the model: what it makes of them says nothing about other parts.`,
    );
  }
  if (judged.length === 0) throw new InvalidInput(`None of the ${pictures.length} pictures could be read.`);
  return { judged, skipped };
}

async function masksIn(folder: string): Promise<Masks> {
  const pictures = await readablePicturesInFolder(folder);
  return new Map(pictures.map(({ name, picture }) => [stemOf(name).replace(/_mask$/, ''), picture]));
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

type Report = ReturnType<typeof reportOf>;

function reportOf(model: AnomalyModel, good: Side, defective: Side, hasMasks: boolean) {
  const { manifest } = model;
  const goodScores = good.judged.map(({ result }) => result.score);
  const defectScores = defective.judged.map(({ result }) => result.score);
  const best = f1Max(goodScores, defectScores);
  const maps = [...good.judged, ...defective.judged].flatMap(({ truth }) => (truth ? [truth] : []));
  const hasTruth = hasMasks && maps.some(({ mask }) => mask !== undefined);
  const counts = { good: countsOf(model, goodScores), defective: countsOf(model, defectScores) };
  const stages = [...good.judged, ...defective.judged].map(({ result }) => result.milliseconds);
  const latencyOf = (stage: keyof AnomalyResult['milliseconds']) => {
    const values = stages.map((milliseconds) => milliseconds[stage]);
    return { p50: percentile(values, 0.5), p95: percentile(values, 0.95) };
  };
  return {
    imageAuroc: auroc(goodScores, defectScores),
    imageAurocInterval: aurocInterval(goodScores, defectScores, { seed: 1 }),
    averagePrecision: averagePrecision(goodScores, defectScores),
    f1Max: best.f1,
    f1Threshold: best.threshold,
    pixelAuroc: hasTruth ? pixelAuroc(maps) : null,
    pro: hasTruth ? pro(maps) : null,
    thresholds: manifest.thresholds,
    counts,
    falseRejectRate: share(counts.good.NG, counts.good.total),
    goodToReviewRate: share(counts.good.REVIEW, counts.good.total),
    missRate: share(counts.defective.OK, counts.defective.total),
    latencyMs: {
      ...latencyOf('total'),
      decode: latencyOf('decode'),
      extract: latencyOf('extract'),
      search: latencyOf('search'),
      map: latencyOf('map'),
    },
    model: { name: manifest.name, version: manifest.version, partType: manifest.partType },
    skipped: [...good.skipped, ...defective.skipped],
  };
}

function countsOf(model: AnomalyModel, scores: readonly number[]): Counts {
  const verdicts = scores.map((score) => verdictOf(score, model.manifest.thresholds));
  const of = (verdict: Verdict) => verdicts.filter((other) => other === verdict).length;
  return { total: scores.length, OK: of('OK'), REVIEW: of('REVIEW'), NG: of('NG') };
}

/** A rate with its exact 95 % interval. */
function share(count: number, total: number) {
  return { count, total, rate: count / total, ...clopperPearson(count, total) };
}

function printReport(report: Report): void {
  const { counts, latencyMs, falseRejectRate, missRate } = report;
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const row = (name: string, { OK, REVIEW, NG, total }: Counts) =>
    `${name.padEnd(12)}${String(OK).padStart(6)}${String(REVIEW).padStart(8)}${String(NG).padStart(6)}${String(total).padStart(8)}`;
  const rate = ({ count, total, rate, low, high }: Report['missRate']) =>
    `${percent(rate)} (${count} of ${total}; 95 %: ${percent(low)} to ${percent(high)})`;
  const { low, high } = report.imageAurocInterval;
  terminal.print(`image AUROC   ${percent(report.imageAuroc)} (95 %: ${percent(low)} to ${percent(high)})`);
  terminal.print(`F1-max        ${percent(report.f1Max)} at ${report.f1Threshold.toFixed(4)}`);
  if (report.pixelAuroc !== null) terminal.print(`pixel AUROC   ${percent(report.pixelAuroc)}`);
  if (report.pro !== null) terminal.print(`PRO           ${percent(report.pro)}`);
  terminal.print('');
  terminal.print(`accept <= ${report.thresholds.accept.toFixed(4)}, reject > ${report.thresholds.reject.toFixed(4)}`);
  terminal.print(`${''.padEnd(12)}${'OK'.padStart(6)}${'REVIEW'.padStart(8)}${'NG'.padStart(6)}${'total'.padStart(8)}`);
  terminal.print(row('good', counts.good));
  terminal.print(row('defective', counts.defective));
  terminal.print(`good rejected      ${rate(falseRejectRate)}`);
  terminal.print(`defective passed   ${rate(missRate)}`);
  terminal.print('');
  terminal.print(`milliseconds  p50 ${latencyMs.p50.toFixed(1)}, p95 ${latencyMs.p95.toFixed(1)}`);
  for (const stage of ['decode', 'extract', 'search', 'map'] as const) {
    terminal.print(
      `  ${stage.padEnd(8)}    p50 ${latencyMs[stage].p50.toFixed(1)}, p95 ${latencyMs[stage].p95.toFixed(1)}`,
    );
  }
  if (report.skipped.length > 0)
    terminal.print(`${report.skipped.length} pictures could not be read and were left out.`);
}
