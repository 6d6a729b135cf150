/** Colours from low to high. Brightness rises all along, so that it reads without seeing hues too. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [45, 12, 92],
  [142, 26, 117],
  [222, 56, 77],
  [252, 136, 38],
  [252, 230, 110],
];

/** Below this grey value nothing is painted. */
const FLOOR = 24;

/**
 * Paints an 8-bit grey map in colours; low values are transparent.
 *
 * @param map the decoded map
 * @param canvas gets the map's size; stretch it over the picture with CSS
 */
export function paintHeatMap(map: HTMLImageElement, canvas: HTMLCanvasElement): void {
  canvas.width = map.naturalWidth;
  canvas.height = map.naturalHeight;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null || canvas.width === 0 || canvas.height === 0) return;
  context.drawImage(map, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const data = pixels.data;
  const table = colourTable();
  for (let index = 0; index < data.length; index += 4) {
    const entry = data[index] * 4;
    data[index] = table[entry];
    data[index + 1] = table[entry + 1];
    data[index + 2] = table[entry + 2];
    data[index + 3] = table[entry + 3];
  }
  context.putImageData(pixels, 0, 0);
}

let cachedTable: Uint8ClampedArray | undefined;

/** RGBA for each grey value. */
function colourTable(): Uint8ClampedArray {
  if (cachedTable !== undefined) return cachedTable;
  const table = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) * (STOPS.length - 1);
    const low = Math.min(Math.floor(place), STOPS.length - 2);
    const share = place - low;
    for (let channel = 0; channel < 3; channel++) {
      table[value * 4 + channel] = STOPS[low][channel] * (1 - share) + STOPS[low + 1][channel] * share;
    }
    const strength = Math.max(0, value - FLOOR) / (255 - FLOOR);
    table[value * 4 + 3] = 255 * Math.min(1, strength * 1.6);
  }
  cachedTable = table;
  return table;
}
