import { extname } from 'node:path';

const READ = new Set(['.jpg', '.jpeg', '.png']);
const OTHERS = new Set(['.bmp', '.webp', '.tif', '.tiff', '.gif', '.avif', '.heic', '.jp2']);

/** True for the names of pictures, also of such in formats that are not read: they are named when they are left out. */
export function isPictureName(name: string): boolean {
  return isReadPictureName(name) || OTHERS.has(extname(name).toLowerCase());
}

/** True for the names of pictures in the formats that are read: JPEG and PNG. */
export function isReadPictureName(name: string): boolean {
  return READ.has(extname(name).toLowerCase());
}
