import { weighedErrors } from './affine-fit';
import { lightBetween } from './light';
import type { Edges, Plane } from './plane';
import { type Affine, type Bend, laidOver, type Warp } from './warp';

/** Cells of the grid along the longer side. */
const CELLS = 12;
/** Whole pixels a node may move when its surroundings are searched, and their size as a share of a cell, to each side. */
const SEARCH = 2;
const SURROUNDINGS = 0.75;
/** Every this many rows of the surroundings are looked at. */
const ROW_STEP = 2;
/** A difference of one pixel counts up to this much. */
const MOST_DIFFERENCE = 0.5;
/** What a node's shift must gain (mean difference, 0..1) for each pixel it differs from a neighbour, and from no shift. */
const COST_OF_DIFFERING = 0.002;
const COST_OF_MOVING = 0.00004;
const SWEEPS = 4;
/** Gauss-Newton steps, their inner iterations, and how strongly neighbours and the start hold a node. */
const STEPS = 4;
const RELAXATIONS = 20;
const STIFFNESS = 0.03;
const REST = 0.002;

/**
 * For parts, cameras and scanners that bend: displacements on a grid over the picture, each node moved by whole pixels to
 * where its surroundings fit best, near its neighbours.
 */
export function searchBend(picture: Plane, reference: Plane, map: Affine): Bend {
  const { width, height } = picture;
  const { columns, rows } = gridOver(width, height);
  const shifts = shiftsWithin(SEARCH);
  const costs = costsOfShifts(picture, reference, map, columns, rows);
  const x = new Float32Array(columns * rows);
  const y = new Float32Array(columns * rows);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (let node = 0; node < x.length; node += 1) {
      const neighbours = sweep === 0 ? [] : neighboursOf(node, columns, rows);
      let lowest = Number.POSITIVE_INFINITY;
      for (const [index, shift] of shifts.entries()) {
        let cost = costs[node * shifts.length + index] + COST_OF_MOVING * (shift.x ** 2 + shift.y ** 2);
        for (const other of neighbours) {
          cost += COST_OF_DIFFERING * (Math.abs(shift.x - x[other]) + Math.abs(shift.y - y[other]));
        }
        if (cost >= lowest) continue;
        lowest = cost;
        x[node] = shift.x;
        y[node] = shift.y;
      }
    }
  }
  return { columns, rows, x, y };
}

/** Corrects the displacements by parts of a pixel: each node follows the edges around it, held by its neighbours. */
export function fitBend(picture: Plane, reference: Plane, { map, bend: start }: Warp, edges: Edges): Warp {
  const { width, height } = picture;
  const { columns, rows } = start ?? gridOver(width, height);
  const nodes = columns * rows;
  let bend: Bend = start ?? { columns, rows, x: new Float32Array(nodes), y: new Float32Array(nodes) };
  if (edges.places.length === 0) return { map, bend };
  for (let step = 0; step < STEPS; step += 1) {
    const { errors, weights } = weighedErrors(picture, reference, { map, bend }, edges.places);
    const equations = { xx: zeros(nodes), xy: zeros(nodes), yy: zeros(nodes), bx: zeros(nodes), by: zeros(nodes) };
    for (let index = 0; index < errors.length; index += 1) {
      const x = edges.places[index] % width;
      const column = (x / (width - 1)) * (columns - 1);
      const row = ((edges.places[index] - x) / width / (height - 1)) * (rows - 1);
      const left = Math.min(column | 0, columns - 2);
      const top = Math.min(row | 0, rows - 2);
      for (let corner = 0; corner < 4; corner += 1) {
        const isRight = corner & 1;
        const isBelow = corner >> 1;
        const nearness = (isRight ? column - left : 1 - column + left) * (isBelow ? row - top : 1 - row + top);
        const node = (top + isBelow) * columns + left + isRight;
        const alongX = weights[index] * nearness * edges.x[index];
        const alongY = weights[index] * nearness * edges.y[index];
        equations.xx[node] += alongX * edges.x[index];
        equations.xy[node] += alongX * edges.y[index];
        equations.yy[node] += alongY * edges.y[index];
        equations.bx[node] -= alongX * errors[index];
        equations.by[node] -= alongY * errors[index];
      }
    }
    bend = relaxed(bend, equations);
  }
  return { map, bend };
}

function gridOver(width: number, height: number): { columns: number; rows: number } {
  const cells = (side: number) => Math.max(1, Math.round((CELLS * side) / Math.max(width, height)));
  return { columns: cells(width) + 1, rows: cells(height) + 1 };
}

function shiftsWithin(reach: number): { readonly x: number; readonly y: number }[] {
  const side = 2 * reach + 1;
  return Array.from({ length: side ** 2 }, (_, index) => ({
    x: (index % side) - reach,
    y: Math.floor(index / side) - reach,
  }));
}

/** For each node and shift the mean difference around the node, shifts in the order of `shiftsWithin`. */
function costsOfShifts(picture: Plane, reference: Plane, map: Affine, columns: number, rows: number): Float32Array {
  const { width, height, data } = picture;
  const laid = laidOver(reference, { map, bend: null }, width, height);
  const { gain, offset } = lightBetween(data, laid);
  for (let place = 0; place < laid.length; place += 1) laid[place] = gain * laid[place] + offset;
  const half = Math.ceil((SURROUNDINGS * Math.max(width, height)) / CELLS);
  const shifts = shiftsWithin(SEARCH);
  const costs = new Float32Array(columns * rows * shifts.length);
  for (let node = 0; node < columns * rows; node += 1) {
    const middleX = Math.round(((node % columns) / (columns - 1)) * (width - 1));
    const middleY = Math.round((Math.floor(node / columns) / (rows - 1)) * (height - 1));
    const [left, right] = [Math.max(SEARCH, middleX - half), Math.min(width - 1 - SEARCH, middleX + half)];
    const [top, bottom] = [Math.max(SEARCH, middleY - half), Math.min(height - 1 - SEARCH, middleY + half)];
    const count = Math.max(1, (right - left + 1) * Math.ceil((bottom - top + 1) / ROW_STEP));
    for (const [index, shift] of shifts.entries()) {
      let sum = 0;
      for (let y = top; y <= bottom; y += ROW_STEP) {
        const there = (y + shift.y) * width + shift.x;
        for (let x = left; x <= right; x += 1) {
          const difference = Math.abs(laid[there + x] - data[y * width + x]);
          sum += difference < MOST_DIFFERENCE ? difference : MOST_DIFFERENCE;
        }
      }
      costs[node * shifts.length + index] = sum / count;
    }
  }
  return costs;
}

interface NodeEquations {
  readonly xx: Float64Array;
  readonly xy: Float64Array;
  readonly yy: Float64Array;
  readonly bx: Float64Array;
  readonly by: Float64Array;
}

/** The displacements that fit the equations of all nodes and change little from node to node (Gauss-Seidel). */
function relaxed(bend: Bend, { xx, xy, yy, bx, by }: NodeEquations): Bend {
  const { columns, rows } = bend;
  const x = Float32Array.from(bend.x);
  const y = Float32Array.from(bend.y);
  for (let sweep = 0; sweep < RELAXATIONS; sweep += 1) {
    for (let node = 0; node < x.length; node += 1) {
      let [sumX, sumY] = [0, 0];
      const neighbours = neighboursOf(node, columns, rows);
      for (const other of neighbours) {
        sumX += x[other];
        sumY += y[other];
      }
      const held = STIFFNESS * neighbours.length + REST;
      const [a, d, off] = [xx[node] + held, yy[node] + held, xy[node]];
      const rightX = xx[node] * bend.x[node] + off * bend.y[node] + bx[node] + STIFFNESS * sumX;
      const rightY = off * bend.x[node] + yy[node] * bend.y[node] + by[node] + STIFFNESS * sumY;
      const determinant = a * d - off * off;
      x[node] = (d * rightX - off * rightY) / determinant;
      y[node] = (a * rightY - off * rightX) / determinant;
    }
  }
  return { columns, rows, x, y };
}

function neighboursOf(node: number, columns: number, rows: number): number[] {
  const column = node % columns;
  const neighbours: number[] = [];
  if (column > 0) neighbours.push(node - 1);
  if (column < columns - 1) neighbours.push(node + 1);
  if (node >= columns) neighbours.push(node - columns);
  if (node < columns * (rows - 1)) neighbours.push(node + columns);
  return neighbours;
}

function zeros(length: number): Float64Array {
  return new Float64Array(length);
}
