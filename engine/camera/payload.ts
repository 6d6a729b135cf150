/**
 * The encoded picture a message's payload holds or points to.
 *
 * @param payload Buffer, Uint8Array, ArrayBuffer, data URL or bare base64 of a JPEG or PNG, or the path of a file
 * @throws {PayloadUnusable} for anything else, an empty payload, a missing file or broken base64
 * @throws {PictureTooLarge} above `maxBytes`
 */
export async function payloadToPicture(_payload: unknown, _options: { maxBytes?: number } = {}): Promise<Buffer> {
  throw new Error('under construction');
}
