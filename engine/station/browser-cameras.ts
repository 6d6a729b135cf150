import { InspectionError, newId } from '../domain';

/** A browser's camera gave no picture. */
export class BrowserCameraUnavailable extends InspectionError {
  constructor(camera: string, why: 'no-browser' | 'timeout' | 'closed' | 'refused', detail = '') {
    const sentences = {
      'no-browser': 'No browser shows it. Open the dashboard page with the camera widget.',
      timeout: 'The browser did not answer in time. Check that its page is open and the camera is allowed.',
      closed: 'The station is closing.',
      refused: `The browser says: ${detail}`,
    };
    super({
      code: `browser-camera-${why}`,
      status: 'camera unavailable',
      message: `The browser camera ${JSON.stringify(camera)} gave no picture. ${sentences[why]}`,
      parameters: { camera },
      reason: 'camera-unavailable',
      httpStatus: 503,
    });
  }
}

export interface CameraRequest {
  /** The answer names it. */
  readonly requestId: string;
  readonly camera: string;
}

interface Pending {
  readonly camera: string;
  finish(picture: Buffer): void;
  fail(error: Error): void;
}

/** Cameras in browsers: a node asks for a picture by the camera's name, the widget answers by the API. */
export class BrowserCameras {
  private readonly widgets = new Map<string, Set<(request: CameraRequest) => void>>();
  private readonly pending = new Map<string, Pending>();

  /**
   * Asks all browsers that show the camera; the first answer counts.
   *
   * @param camera name of the camera widget
   * @throws {BrowserCameraUnavailable}
   */
  request(camera: string, timeoutMs: number): Promise<Buffer> {
    const widgets = [...(this.widgets.get(camera) ?? [])];
    if (widgets.length === 0) return Promise.reject(new BrowserCameraUnavailable(camera, 'no-browser'));
    const requestId = newId();
    return new Promise<Buffer>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.pending.delete(requestId);
      };
      const pending: Pending = {
        camera,
        finish: (picture) => {
          end();
          resolve(picture);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      const timer = setTimeout(() => pending.fail(new BrowserCameraUnavailable(camera, 'timeout')), timeoutMs);
      this.pending.set(requestId, pending);
      for (const ask of widgets) ask({ requestId, camera });
    });
  }

  /** Registers a widget that can ask its browsers. @returns a function that removes it */
  onRequest(camera: string, ask: (request: CameraRequest) => void): () => void {
    const widgets = this.widgets.get(camera) ?? new Set();
    this.widgets.set(camera, widgets.add(ask));
    return () => {
      widgets.delete(ask);
      if (widgets.size === 0 && this.widgets.get(camera) === widgets) this.widgets.delete(camera);
    };
  }

  /** Answers a request. @returns false when nobody waits for it (any more) */
  resolve(requestId: string, picture: Buffer): boolean {
    const pending = this.pending.get(requestId);
    pending?.finish(picture);
    return pending !== undefined;
  }

  /** Tells that the browser cannot give a picture, for example because access was denied. */
  refuse(requestId: string, detail: string): boolean {
    const pending = this.pending.get(requestId);
    pending?.fail(new BrowserCameraUnavailable(pending.camera, 'refused', detail));
    return pending !== undefined;
  }

  /** Fails all requests under way. */
  close(): void {
    for (const pending of [...this.pending.values()]) {
      pending.fail(new BrowserCameraUnavailable(pending.camera, 'closed'));
    }
    this.widgets.clear();
  }
}
