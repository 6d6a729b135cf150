import { Session } from '../inference';
import { type BankSearch, searchGraph } from './head-graph';
import type { ViewPatches } from './patch-set';
import type { ViewDistances } from './scoring';

/** Compares conditioned patches with a bank, in compiled code. Ends with `close`. */
export class Searcher {
  private constructor(
    private readonly session: Session,
    private readonly isReweighting: boolean,
  ) {}

  static async open(search: BankSearch, threads: number): Promise<Searcher> {
    return new Searcher(await Session.open(searchGraph(search), threads), search.neighbours !== undefined);
  }

  /** @returns distances, and the map over the view's input pixels */
  async compare(view: ViewPatches): Promise<ViewDistances & { readonly map: Float32Array }> {
    const { patches, counts, gridRows, gridColumns } = view;
    const feeds = {
      patches: {
        data: patches.data.subarray(0, patches.rows * patches.columns),
        dims: [patches.rows, patches.columns],
      },
      counts: { data: counts, dims: [1, 1, gridRows, gridColumns] },
    };
    if (!this.isReweighting) {
      const { distances, map } = await this.session.run(feeds, ['distances', 'map']);
      return { distances: distances.data, counts, map: map.data };
    }
    const { distances, map, reweighted } = await this.session.run(feeds, ['distances', 'map', 'reweighted']);
    return { distances: distances.data, counts, map: map.data, reweighted: reweighted.data[0] };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
