import { type PictureInfo, sha256Of } from '../domain';
import { decoder, unreadable } from './decode';
import { readPictureHeader } from './header';
import { defaultPictureLimits, type PictureLimits } from './limits';

/**
 * Reads the header, checks the limits, then decodes every row, so that a picture that passes can be analysed. A picture
 * over the limits is refused from its header; decoding streams and never holds the whole picture.
 *
 * @throws {PictureUnreadable} `parameters.cause`: empty, not-a-picture, unsupported-format, truncated, damaged,
 *   too-large, too-many-pixels, too-small
 */
export async function inspectPicture(
  picture: Buffer,
  limits: PictureLimits = defaultPictureLimits,
): Promise<PictureInfo> {
  const header = readPictureHeader(picture, limits);
  try {
    await decoder(picture, header).resize(1, 1, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  } catch (error) {
    throw unreadable(error, picture);
  }
  return {
    width: header.width,
    height: header.height,
    format: header.format,
    bytes: picture.length,
    sha256: sha256Of(picture),
  };
}
