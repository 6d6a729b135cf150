import { InvalidInput } from '../domain';
import { type Credentials, credentialsOf } from './credentials';

export interface FfmpegInput {
  readonly input: string;
  readonly kind: 'rtsp' | 'usb';
  readonly size: '1280x720' | 'native';
  readonly framesPerSecond: number;
  readonly credentials: Credentials | null;
  /** Replaces the input part. */
  readonly inputArguments?: readonly string[];
}

/** The URL of a network camera. */
export function streamUrl(input: string): URL {
  if (!URL.canParse(input) || !input.includes('://')) {
    throw new InvalidInput('The address of the network camera is not a URL like rtsp://192.168.0.10:554/stream1.');
  }
  return new URL(input);
}

/**
 * ffmpeg's command line: any camera in, Motion JPEG on stdout out, errors on stderr.
 *
 * @throws {InvalidInput} when the input is no URL or no device
 */
export function ffmpegArguments(options: FfmpegInput, platform: NodeJS.Platform = process.platform): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'],
    ...(options.inputArguments ?? inputArguments(options, platform)),
    ...['-an', '-sn', '-dn', '-vf', filters(options), '-c:v', 'mjpeg', '-q:v', '2', '-pix_fmt', 'yuvj422p'],
    ...['-flush_packets', '1', '-f', 'mjpeg', 'pipe:1'],
  ];
}

function inputArguments(options: FfmpegInput, platform: NodeJS.Platform): string[] {
  const lowDelay = ['-fflags', 'nobuffer', '-flags', 'low_delay'];
  if (options.kind === 'rtsp') {
    const url = streamUrl(options.input);
    const transport = url.protocol.startsWith('rtsp') ? ['-rtsp_transport', 'tcp'] : [];
    return [...transport, ...lowDelay, '-i', withCredentials(url, options.credentials)];
  }
  const device = options.input.trim();
  if (device === '') throw new InvalidInput('The USB camera has no device. Set one, for example /dev/video0.');
  const wished = options.size === 'native' ? [] : ['-video_size', options.size];
  switch (platform) {
    case 'win32':
      return ['-f', 'dshow', ...lowDelay, '-i', device.startsWith('video=') ? device : `video=${device}`];
    case 'darwin':
      return ['-f', 'avfoundation', '-framerate', '30', ...lowDelay, '-i', device];
    default:
      // The v4l2 driver takes the nearest size it has; the other two would refuse, so there only the filter scales.
      return ['-f', 'v4l2', ...wished, ...lowDelay, '-i', /^\d+$/.test(device) ? `/dev/video${device}` : device];
  }
}

function filters({ size, framesPerSecond }: FfmpegInput): string {
  const rate = `fps=${framesPerSecond}`;
  if (size === 'native') return rate;
  const [width, height] = size.split('x');
  return `${rate},scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2`;
}

function withCredentials(url: URL, credentials: Credentials | null): string {
  const full = new URL(url);
  const { username, password } = credentials ?? credentialsOf(url) ?? { username: '', password: '' };
  full.username = encodeURIComponent(username);
  full.password = encodeURIComponent(password);
  return full.href;
}
