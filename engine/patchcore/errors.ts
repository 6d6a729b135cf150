import { InspectionError } from '../domain';

/** Too few readable pictures to learn from. */
export class TooFewPictures extends InspectionError {
  constructor(readable: number, skipped: number, needed: number) {
    super({
      code: 'too-few-pictures',
      status: `needs ${needed} picture${needed > 1 ? 's' : ''}`,
      message:
        `Training needs at least ${needed} different readable picture${needed > 1 ? 's' : ''} of good parts and got ${readable}` +
        `${skipped > 0 ? ` (${skipped} more could not be read or were there twice)` : ''}. Add ${needed - readable} or more.`,
      parameters: { readable, skipped, needed },
      httpStatus: 422,
    });
  }
}
