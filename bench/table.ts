import { median } from './statistics';

/** Times of several ways to the same end, taken in turn so that a busy moment meets all of them. */
export class Stopwatch {
  private readonly times = new Map<string, number[]>();

  /** Runs every way once to warm up, then `runs` times in turn. */
  static async compare(ways: Readonly<Record<string, () => Promise<unknown>>>, runs: number): Promise<Stopwatch> {
    const watch = new Stopwatch();
    for (const way of Object.values(ways)) await way();
    for (let run = 0; run < runs; run += 1) {
      for (const [name, way] of Object.entries(ways)) {
        const start = performance.now();
        await way();
        watch.record(name, performance.now() - start);
      }
    }
    return watch;
  }

  record(name: string, milliseconds: number): void {
    const values = this.times.get(name) ?? [];
    values.push(milliseconds);
    this.times.set(name, values);
  }

  median(name: string): number {
    return median(this.times.get(name) ?? []);
  }

  lowest(name: string): number {
    return Math.min(...(this.times.get(name) ?? []));
  }

  /** Median, lowest and highest of each, in milliseconds. */
  print(title: string): void {
    heading(`${title}: ms, median / lowest / highest`);
    for (const [name, values] of this.times) {
      const figures = [median(values), Math.min(...values), Math.max(...values)];
      row(name, figures.map((figure) => figure.toFixed(1).padStart(9)).join(''));
    }
  }
}

export function heading(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

export function row(label: string, value: string): void {
  process.stdout.write(`  ${label.padEnd(44)} ${value}\n`);
}
