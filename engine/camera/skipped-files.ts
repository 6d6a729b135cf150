const REMEMBERED = 10_000;

/** Tells each skipped file once. */
export class SkippedFiles {
  private readonly told = new Set<string>();

  constructor(private readonly onSkipped: (file: { readonly name: string; readonly reason: string }) => void) {}

  tell(name: string, reason: string): void {
    if (this.told.has(name) || this.told.size >= REMEMBERED) return;
    this.told.add(name);
    this.onSkipped({ name, reason });
  }
}
