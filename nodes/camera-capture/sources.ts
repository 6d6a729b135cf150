import { isAbsolute, join } from 'node:path';
import { type FrameSource, ffmpegSource, folderSource, httpSource, payloadToPicture } from '../../engine/camera';
import type { SimulatedTruth } from '../../engine/simulator';
import type { Station } from '../../engine/station';
import type { InspectionMessage } from '../shared';
import type { CameraCaptureConfig, CaptureSettings } from './config';

export interface Capture {
  readonly picture: Buffer;
  /** The picture's file, where it came from one. */
  readonly filename?: string;
  /** What is true of a simulated part. */
  readonly simulated?: SimulatedTruth;
}

/** Takes one picture for a trigger. */
export type TakePicture = (station: Station, message: InspectionMessage, signal: AbortSignal) => Promise<Capture>;

export interface Credentials {
  readonly user?: string;
  readonly password?: string;
}

/** The source that holds a connection or a place in a folder; null for those that need none. */
export function openFrameSource(
  config: CameraCaptureConfig,
  settings: CaptureSettings,
  credentials: Credentials,
  userFolder: string,
): FrameSource | null {
  const { user: username, password } = credentials;
  switch (config.source) {
    case 'folder':
      return folderSource({
        folder: isAbsolute(config.folder) ? config.folder : join(userFolder, config.folder),
        mode: config.folderMode,
        loop: config.folderLoop,
        includeExisting: config.folderExisting,
        polling: config.folderPolling,
      });
    case 'http':
      return httpSource({
        url: config.url,
        username,
        password,
        timeoutMs: settings.timeoutMs,
        allowUntrustedCertificate: config.allowUntrustedCertificate,
      });
    case 'rtsp':
    case 'usb':
      return ffmpegSource({
        input: config.source === 'rtsp' ? config.rtspUrl : config.device,
        kind: config.source,
        size: config.captureSize,
        ffmpegPath: config.ffmpegPath.trim() || 'ffmpeg',
        timeoutMs: settings.timeoutMs,
        ...(config.source === 'rtsp' ? { username, password } : {}),
      });
    default:
      return null;
  }
}

/** How this node takes its pictures. */
export function pictureTaker(
  config: CameraCaptureConfig,
  settings: CaptureSettings,
  source: FrameSource | null,
): TakePicture {
  if (source) {
    return async (_station, _message, signal) => {
      const { picture, name } = await source.next(signal);
      return name === undefined ? { picture } : { picture, filename: name };
    };
  }
  if (config.source === 'browser') {
    return async (station) => ({
      picture: await station.browserCameras.request(config.browserCamera, settings.timeoutMs),
    });
  }
  if (config.source === 'payload') {
    return async (_station, message) => ({ picture: await payloadToPicture(message.payload) });
  }
  let part = 0;
  return async (station) => {
    const seed = (settings.simulator.seed + part++) % 2 ** 32;
    const { picture, truth } = await station.simulate({ ...settings.simulator, seed });
    return { picture, simulated: truth };
  };
}
