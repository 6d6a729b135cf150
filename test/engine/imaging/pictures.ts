import { deflateSync } from 'node:zlib';

/** smptebars at 64 x 48, encoded by FFmpeg 5.1.9 (`ffmpeg -f lavfi -i smptebars=size=64x48 -frames:v 1 -q:v 3`). */
export const barsJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAgGBgcGBwgICAgICAkJCQoKCgkJCQkKCgoKCgoMDAwK' +
    'CgoKCgoKDAwMDA0ODQ0NDA0ODg8PDxISEREVFRUZGR//xACbAAEBAQEBAAAAAAAAAAAAAAAFBgMIBwEAAwEBAAAAAAAAAAAAAAAA' +
    'BwQGBQMQAAABBwgDCw0BAAAAAAAAAAAFBBMSAQIRgbLCgkMzFAOxFTFjZBYGB1FhMiJBRBfERuIjpIVF5KLwJghlEQAABAMECAUF' +
    'AQEAAAAAAAAEAgEDEgARIYQ2BkFytLMyIjEFB8RRcUXBQhN0NVIj/8AAEQgAMABAAwEiAAIRAAMRAP/aAAwDAQACEQMRAD8Avwec' +
    '3r0mhgQB5zevSaGCbzr/ADWf2ybp2ewbjXV+qSQVrGvRBBzcvSTmBcrWNeiCDm5eknMGxl/Bd0H7wRI3zZiAVrB9nak4TwoRPBzw' +
    'y+UunmJIXg/8zcvMyec3z0k1gIKtlXohc5vnpJrAQVbKvRDmX8aXsfuxEkLNmHxWqH2hqelwec3r0mhgQB5zevSaGCPzr/NZ/bJu' +
    'nZgw3Gur9UkgrWNeiCDm5eknMC5Wsa9EEHNy9JOYNjL+C7oP3giRvmzEArWD7O1JwnhQieDnhl8pdPMSQvB/5m5eZk85vnpJrAQV' +
    'bKvRC5zfPSTWAgq2VeiHMv40vY/diJIWbMPitUPtDU5av3T7fWFbxF5KOHjxRe1vq/B4bwWISJ2Z2+shVVF0xW7oCfHtHIF6Q/Dv' +
    'PBq94HiRoRSPuRlIcpypCQtDcNeUqL0MqekicE+4YQQqmsWKtif5VfT1ScyR/P2qk37ElSqfK1IKLb/ejFYeNFAoY81zDdGjXV7S' +
    'y0FX2PbFXeaG0doDiEcuzPOOsPBzmq0hUKhaIljkcSVRENb72aJqwPcRSBjhfyf8YVLBCThciiSKGK2q6bNEkHRvhlO0stHuhCEO' +
    'lvOLnyo/5Xvv0ojSpZV6IOCAtVBCnW2OQvJZxfYi9TVXqqzhd17QBHuFKIZ/IjVYOdwtI0LFwHLWtE61lIuFXXJRzz5CgTI/Zrrq' +
    'qZTmX1lXIxVj1WbRQ8RuPHAx0/ewGNxmH8SgRoG524ZyyyXohDviIwa2X5zhMxlMqmW1VWq+6z1aaIw2RptISNkKQqVVaFKlESq1' +
    'VaImm2f/2Q==',
  'base64',
);

/** [x, y, red, green, blue] inside the flat bars of `barsJpeg` as FFmpeg 5.1.9 decodes it to rgb24. */
export const barsByFfmpeg: readonly (readonly [number, number, number, number, number])[] = [
  [4, 10, 191, 191, 189],
  [15, 10, 192, 190, 1],
  [34, 10, 0, 191, 0],
  [45, 10, 191, 0, 192],
  [54, 10, 192, 2, 0],
];

export type PngColour = 'grey' | 'rgb' | 'grey-alpha' | 'rgba';
const COLOUR_TYPE: Readonly<Record<PngColour, number>> = { grey: 0, rgb: 2, 'grey-alpha': 4, rgba: 6 };

/**
 * A PNG assembled chunk by chunk after the PNG specification, so that the code under test has no part in it.
 *
 * @param rows raw bytes of each row, without the filter byte
 */
export function handmadePng(
  width: number,
  height: number,
  depth: 1 | 8 | 16,
  colour: PngColour,
  rows: (y: number) => Buffer,
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = COLOUR_TYPE[colour];
  const scanlines = Buffer.concat(Array.from({ length: height }, (_, y) => Buffer.concat([Buffer.from([0]), rows(y)])));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(scanlines)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** PNG specification, annex D. */
function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
