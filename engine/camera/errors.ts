import { InspectionError } from '../domain';

/** The camera, or the folder, cannot be reached or gives no picture. */
export class CameraUnavailable extends InspectionError {
  /**
   * @param camera names the source without credentials
   * @param detail what happened, and what to do
   */
  constructor(camera: string, detail: string, cause?: unknown) {
    super({
      code: 'camera-unavailable',
      status: 'camera unavailable',
      message: `No picture from ${camera}: ${detail}`,
      parameters: { camera, detail },
      reason: 'camera-unavailable',
      httpStatus: 503,
      cause,
    });
  }
}

/** A file that came into a watched folder, so it stands for a part, and cannot be read. */
export class FileUnreadable extends InspectionError {
  constructor(
    /** The file's name in the folder. */
    readonly file: string,
    error: InspectionError,
  ) {
    const { code, status, message, parameters, reason, httpStatus } = error;
    super({ code, status, message, parameters, reason, httpStatus, cause: error });
  }
}

/** ffmpeg is not installed or not where the settings say. */
export class FfmpegMissing extends InspectionError {
  constructor(ffmpegPath: string, cause?: unknown) {
    super({
      code: 'ffmpeg-missing',
      status: 'ffmpeg missing',
      message:
        `RTSP and USB cameras need ffmpeg, and ${JSON.stringify(ffmpegPath)} cannot be run. ${installAdvice()} ` +
        'Then deploy again, or set the path of ffmpeg in the camera-capture node.',
      parameters: { ffmpegPath },
      reason: 'camera-unavailable',
      httpStatus: 503,
      cause,
    });
  }
}

/** A folder without pictures, or with all pictures taken and no loop. */
export class NoMorePictures extends InspectionError {
  constructor(folder: string, taken: number) {
    super({
      code: 'no-more-pictures',
      status: taken === 0 ? 'folder is empty' : 'folder is finished',
      message:
        taken === 0
          ? `There is no picture in ${folder}. Put JPEG or PNG files there.`
          : `All ${taken} pictures of ${folder} were taken. Switch on "loop" to start over, or add pictures.`,
      parameters: { folder, taken },
      reason: 'no-picture',
      httpStatus: 409,
    });
  }
}

/** A message's payload from which no picture can be read. */
export class PayloadUnusable extends InspectionError {
  constructor(detail: string, cause?: unknown) {
    super({
      code: 'payload-unusable',
      status: 'no picture in message',
      message: `${detail} msg.payload must be a JPEG or PNG as a Buffer, the path of a file, or a data URL.`,
      parameters: { detail },
      reason: 'no-picture',
      httpStatus: 400,
      cause,
    });
  }
}

function installAdvice(): string {
  switch (process.platform) {
    case 'win32':
      return 'Install it with "winget install ffmpeg".';
    case 'darwin':
      return 'Install it with "brew install ffmpeg".';
    default:
      return 'Install it with "sudo apt install ffmpeg" or the like.';
  }
}
