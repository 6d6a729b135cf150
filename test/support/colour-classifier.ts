import { PROBABILITIES } from '../../engine/classifier';
import { sha256Of, type Verdict } from '../../engine/domain';
import { GraphBuilder, writeModel } from '../../engine/onnx';
import {
  CLASSES_FORMAT,
  type ClassifierManifest,
  GOLDEN_CLASS_TOLERANCE,
  type UnsealedManifest,
  writePackage,
} from '../../engine/packages';

const SIDE = 64;

/**
 * A classifier that can be checked by hand: the softmax of eight times the mean red, green and blue of the picture are the
 * probabilities of its classes "bad", "good" and "odd".
 */
function colourClassifier(): Uint8Array {
  const graph = new GraphBuilder('colours');
  const picture = graph.input('images', [1, 3, SIDE, SIDE]);
  const means = graph.node('Flatten', [graph.node('GlobalAveragePool', [picture])]);
  const logits = graph.node('Mul', [means, graph.floats([], [8])]);
  graph.output(PROBABILITIES, graph.node('Softmax', [logits], { axis: 1 }), [1, 3]);
  return writeModel(graph.build());
}

/** Writes the colour classifier as a model package. */
export async function writeColourClassifier(
  folder: string,
  partType: string,
  version: string,
  verdicts: Readonly<Record<'bad' | 'good' | 'odd', Verdict>> = { bad: 'NG', good: 'OK', odd: 'REVIEW' },
): Promise<void> {
  const nothing = sha256Of(new Uint8Array());
  const manifest: UnsealedManifest<ClassifierManifest> = {
    format: CLASSES_FORMAT,
    kind: 'classifier',
    method: 'linear',
    name: `${partType}.classifier`,
    version,
    partType,
    createdAt: '2026-01-02T03:04:05.000Z',
    parent: null,
    classes: ['bad', 'good', 'odd'],
    model: 'model.onnx',
    base: null,
    curve: [],
    gate: { accepted: true, reasons: [] },
    dataset: { source: 'colours', count: 0, skipped: 0, sha256: nothing, heldOut: 0 },
    verdicts,
    preprocessing: { width: SIDE, height: SIDE, mode: 'stretch', kernel: 'linear', fastShrinkOnLoad: false },
    backbone: { id: 'colours', sha256: nothing },
    training: { seed: 1, epochs: 1, learningRate: 1, augmentation: 0 },
    temperature: 1,
    evaluation: { before: null, after: null },
    golden: [],
    goldenTolerance: GOLDEN_CLASS_TOLERANCE,
    metrics: {},
  };
  await writePackage(folder, manifest, { 'model.onnx': colourClassifier() });
}
