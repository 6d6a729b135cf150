/**
 * Runs work that ends early when the person at the terminal interrupts it.
 *
 * @param remains what is left then, for the message
 */
export async function interruptible<T>(remains: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const cancel = new AbortController();
  const onInterrupt = () => cancel.abort(new Error(`cancelled; ${remains}`));
  process.once('SIGINT', onInterrupt);
  try {
    return await work(cancel.signal);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}
