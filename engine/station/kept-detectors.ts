/** Detector files that nodes use: loaded before the first part needs them, and again when a process was replaced. */
export class KeptDetectors {
  private readonly uses = new Map<symbol, { readonly file: string; readonly onTrouble: (error: unknown) => void }>();

  constructor(private readonly load: (file: string) => Promise<void>) {}

  /** @returns a function that lets go of the file */
  keep(file: string, onTrouble: (error: unknown) => void): () => void {
    const use = Symbol(file);
    this.uses.set(use, { file, onTrouble });
    void this.loadFor(file);
    return () => void this.uses.delete(use);
  }

  /** Loads all files again. */
  async reload(): Promise<void> {
    for (const file of new Set([...this.uses.values()].map((use) => use.file))) await this.loadFor(file);
  }

  private async loadFor(file: string): Promise<void> {
    await this.load(file).catch((error) => {
      for (const use of this.uses.values()) if (use.file === file) use.onTrouble(error);
    });
  }
}
