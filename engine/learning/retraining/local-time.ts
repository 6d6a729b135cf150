const formats = new Map<string, Intl.DateTimeFormat>();

/** Hour and minute on the wall clock of a time zone, as minutes of the day. */
export function localMinute(at: number, timeZone: string): number {
  const [hour, minute] = localText(at, timeZone).slice(-5).split(':').map(Number);
  return 60 * hour + minute;
}

/** A moment on the wall clock of a time zone, `2026-11-20 22:05`. */
export function localText(at: number, timeZone: string): string {
  const format = formats.get(timeZone) ?? newFormat(timeZone);
  formats.set(timeZone, format);
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`;
}

function newFormat(timeZone: string): Intl.DateTimeFormat {
  const two = '2-digit';
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: two,
    day: two,
    hour: two,
    minute: two,
    hourCycle: 'h23',
  });
}
