import { InspectionError } from '../domain';

/** No entry of the catalogue has this id. */
export class BackboneUnknown extends InspectionError {
  constructor(id: string, known: readonly string[]) {
    super({
      code: 'backbone-unknown',
      status: 'backbone unknown',
      message: `There is no backbone ${JSON.stringify(id)} in the catalogue. There is: ${known.join(', ')}.`,
      parameters: { backbone: id, known: known.join(', ') },
      httpStatus: 404,
    });
  }
}

/** The source cannot be reached, refuses, or broke off more often than was tried. What came is kept for the next time. */
export class PullFailed extends InspectionError {
  constructor(id: string, source: string, detail: string, cause?: unknown) {
    super({
      code: 'backbone-pull-failed',
      status: 'download failed',
      message: `The backbone ${id} cannot be pulled from ${source}: ${detail}. Check network and proxy, or give a mirror; what came so far is kept, and pulling again goes on from there.`,
      parameters: { backbone: id, source, detail },
      httpStatus: 502,
      cause,
    });
  }
}

/** What came is not the file that the catalogue pins. It was thrown away. */
export class PullAltered extends InspectionError {
  constructor(id: string, source: string, detail: string) {
    super({
      code: 'backbone-altered',
      status: 'download altered',
      message: `What ${source} gives for the backbone ${id} is not the file of the catalogue: ${detail}. Nothing of it was kept. Pull from another source.`,
      parameters: { backbone: id, source, detail },
      httpStatus: 502,
    });
  }
}

/** Someone else pulls the same file into the same folder. */
export class PullRunning extends InspectionError {
  constructor(id: string, folder: string) {
    super({
      code: 'backbone-pull-running',
      status: 'download runs already',
      message: `The backbone ${id} is being pulled into ${folder} already. Wait until that has ended.`,
      parameters: { backbone: id, folder },
      httpStatus: 409,
    });
  }
}

/** The folder cannot be written, or its disk is full. */
export class PullNotWritable extends InspectionError {
  constructor(id: string, folder: string, detail: string, cause?: unknown) {
    super({
      code: 'backbone-not-writable',
      status: 'cannot save download',
      message: `The backbone ${id} cannot be saved in ${folder}: ${detail}. Free space or give another folder.`,
      parameters: { backbone: id, folder, detail },
      httpStatus: 507,
      cause,
    });
  }
}
