import { type Random, seededRandom } from '../domain';
import { encodeJpeg } from '../imaging';
import { cableEndScene } from './cable-end';
import { drawLayer, expose, lightFor } from './camera';
import { type Canvas, drawDefect, misalignmentTruth } from './defects';
import { between, seedFor, TILE } from './noise';
import { type CompleteOptions, completeOptions } from './options';
import { plateScene } from './plate';
import { onto, type Pose } from './pose';
import type { Point, Scene } from './scene';
import type { DefectClass, SimulatedDefect, SimulatedPart, SimulatedProduct, SimulatorOptions } from './types';

/**
 * Draws one part as a camera over the line sees it: another piece of metal, another place, another light each time, and
 * by chance a defect. The same options give the same bytes; with the same seed, part, place, light and noise are the
 * same whether or not it has a defect.
 *
 * @throws {InvalidInput} when an option is outside its range
 */
export async function simulatePart(options: SimulatorOptions): Promise<SimulatedPart> {
  const complete = completeOptions(options);
  const { product, seed, width, height } = complete;
  const { pixels, defects } = photograph(complete);
  const picture = await encodeJpeg(pixels, width, height, 91);
  return { picture, truth: { product, seed, label: defects.length === 0 ? 'OK' : 'NG', defects } };
}

const SCENES: Readonly<Record<SimulatedProduct, (width: number, height: number) => Scene>> = {
  plate: plateScene,
  'cable-end': cableEndScene,
};

/** Scenes by product and size, the last used last: painting one takes as long as dozens of pictures. */
const scenes = new Map<string, Scene>();
const SCENES_KEPT = 3;

function sceneFor(product: SimulatedProduct, width: number, height: number): Scene {
  const key = `${product} ${width}x${height}`;
  const scene = scenes.get(key) ?? SCENES[product](width, height);
  scenes.delete(key);
  scenes.set(key, scene);
  for (const oldest of scenes.keys()) {
    if (scenes.size <= SCENES_KEPT) break;
    scenes.delete(oldest);
  }
  return scene;
}

function photograph(options: CompleteOptions): { pixels: Uint8ClampedArray; defects: readonly SimulatedDefect[] } {
  const { product, seed, width, height, positionJitter, lightJitter } = options;
  const scene = sceneFor(product, width, height);
  const streamOf = (purpose: string) => seededRandom(seedFor(seed, `${product} ${purpose}`));
  const wanted = chooseDefects(options, streamOf('choice'));
  const place = streamOf('place');
  const body = bodyPose(scene, place, positionJitter);
  const print = elementPose(body, [0, 0], scene.jitter.print, place, positionJitter);
  const aligned = elementPose(body, scene.rest.element, scene.jitter.element, place, positionJitter);
  const element = wanted.includes('misalignment') ? displaced(scene, aligned, streamOf('misalignment')) : aligned;
  const light = lightFor(scene, streamOf('light'), lightJitter);
  const piece = streamOf('grain');
  const grain = {
    tile: scene.grain,
    strength: scene.grainStrength,
    offsetU: Math.floor(piece() * TILE),
    offsetV: Math.floor(piece() * TILE),
  };

  const { frame } = scene;
  frame.set(scene.background);
  drawLayer(frame, scene, scene.body, body, light, grain);
  if (scene.print !== null) drawLayer(frame, scene, scene.print, { ...print, bow: body.bow }, light, grain);
  drawLayer(frame, scene, scene.element, element, light, grain);
  const canvas: Canvas = { scene, frame, body, element };
  const defects = wanted.map((label) =>
    label === 'misalignment' ? misalignmentTruth(scene, element) : drawDefect(canvas, label, streamOf(label)),
  );
  return { pixels: expose(frame, scene, light, streamOf('sensor')), defects };
}

/** Mostly one defect, now and then two of different classes. */
function chooseDefects({ defectRate, defects }: CompleteOptions, random: Random): readonly DefectClass[] {
  if (random() >= defectRate) return [];
  const classes = [...new Set(defects)];
  const first = classes[Math.floor(random() * classes.length)];
  const others = classes.filter((label) => label !== first);
  const second = others[Math.floor(random() * others.length)];
  return random() < 0.12 && second !== undefined ? [first, second] : [first];
}

function bodyPose(scene: Scene, random: Random, strength: number): Pose {
  const { shift, turn } = scene.jitter.body;
  const [u, v] = scene.rest.body;
  const vary = (amount: number) => between(random, -amount, amount) * strength;
  return {
    x: scene.width / 2 + (u + vary(shift)) * scene.scale,
    y: scene.height / 2 + (v + vary(shift)) * scene.scale,
    angle: vary(turn),
    scale: scene.scale,
    bow: vary(scene.jitter.bow),
  };
}

function elementPose(
  body: Pose,
  rest: Point,
  jitter: { shift: number; turn: number },
  random: Random,
  strength: number,
): Pose {
  const vary = (amount: number) => between(random, -amount, amount) * strength;
  return onto(body, [rest[0] + vary(jitter.shift), rest[1] + vary(jitter.shift)], vary(jitter.turn));
}

/** Moved and turned well beyond what is natural. */
function displaced(scene: Scene, pose: Pose, random: Random): Pose {
  const { shift, turn } = scene.misalignment;
  const distance = between(random, ...shift);
  const direction = random() * 2 * Math.PI;
  const side = random() < 0.5 ? -1 : 1;
  return onto(pose, [distance * Math.cos(direction), distance * Math.sin(direction)], side * between(random, ...turn));
}
