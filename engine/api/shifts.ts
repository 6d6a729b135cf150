const DEFAULT_SHIFT_STARTS = ['06:00', '14:00', '22:00'];

/**
 * When the shift of a moment began.
 *
 * @param starts local times `HH:MM`, in any order; 06:00, 14:00 and 22:00 when empty. Others are left out.
 */
export function shiftStart(moment: Date, starts: readonly string[] = DEFAULT_SHIFT_STARTS): Date {
  const given = starts.filter((start) => /^([01]\d|2[0-3]):[0-5]\d$/.test(start));
  const times = given.length > 0 ? given : DEFAULT_SHIFT_STARTS;
  const candidates = [0, -1].flatMap((days) => times.map((time) => localTime(moment, days, time)));
  return new Date(Math.max(...candidates.map(Number).filter((start) => start <= moment.getTime())));
}

/** Midnight before a moment, in local time. */
export function dayStart(moment: Date): Date {
  return localTime(moment, 0, '00:00');
}

function localTime(day: Date, days: number, time: string): Date {
  const [hours, minutes] = time.split(':').map(Number);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, hours, minutes);
}
