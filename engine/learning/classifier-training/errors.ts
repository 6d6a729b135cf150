import { InspectionError } from '../../domain';

/** A class has too few readable pictures to learn from. */
export class TooFewPerClass extends InspectionError {
  constructor(label: string, count: number, needed: number) {
    super({
      code: 'too-few-per-class',
      status: `${label}: needs ${needed} pictures`,
      message:
        `The class ${label} has ${count} different readable picture${count === 1 ? '' : 's'} to learn from, and needs at least ` +
        `${needed}. Add ${needed - count} or more, or leave the class out.`,
      parameters: { label, count, needed },
      httpStatus: 422,
    });
  }
}

/** There is nothing to tell apart. */
export class TooFewClasses extends InspectionError {
  constructor(classes: readonly string[]) {
    const found = classes.length === 0 ? 'none' : classes.join(', ');
    super({
      code: 'too-few-classes',
      status: 'needs two classes',
      message: `A classifier tells two classes or more apart; the pictures have ${found}. Add pictures of another class.`,
      parameters: { classes: found },
      httpStatus: 422,
    });
  }
}
