import { setTimeout as pause } from 'node:timers/promises';
import type { NodeAPI } from 'node-red';
import { CaptureQueue, FileUnreadable, type FrameSource } from '../../engine/camera';
import {
  type Inspection,
  InspectionError,
  InvalidInput,
  PartTypeInvalid,
  reasonOf,
  type Trigger,
} from '../../engine/domain';
import type { Station, Submission } from '../../engine/station';
import {
  defineNode,
  type InspectionMessage,
  type InspectionNode,
  type Output,
  readPartType,
  stationOf,
} from '../shared';
import { type CameraCaptureConfig, hasTimeout, readCaptureSettings, schema } from './config';
import { type Capture, type Credentials, openFrameSource, pictureTaker } from './sources';

/** A trigger with its inspection, on its way to the camera. */
interface PendingCapture {
  readonly station: Station;
  readonly inspection: Inspection;
  readonly message: InspectionMessage;
  finish(output: Output): void;
  fail(error: unknown): void;
}

/** The camera gave nothing before the time was over. */
class CaptureTimeout extends InspectionError {
  constructor(milliseconds: number) {
    super({
      code: 'capture-timeout',
      status: 'camera too slow',
      message: `The camera gave no picture within ${milliseconds} ms. Check the camera, or allow it more time.`,
      parameters: { milliseconds },
      reason: 'camera-unavailable',
    });
  }
}

/** The trigger waited so long for the camera that its deadline passed. */
class CaptureTooLate extends InspectionError {
  constructor() {
    super({
      code: 'capture-too-late',
      status: 'deadline passed before capture',
      message:
        'The deadline passed before a picture was taken. Trigger less often, make the camera faster or allow more time.',
      reason: 'deadline-exceeded',
    });
  }
}

/** The node was closed, by a deploy or a stop, while the part waited for its picture. */
class CaptureInterrupted extends InspectionError {
  constructor() {
    super({
      code: 'capture-interrupted',
      status: 'interrupted',
      message: 'The flow was deployed or stopped before the picture was taken.',
      reason: 'interrupted',
    });
  }
}

const WATCH_RETRY_MS = 1000;
const LONGEST_SERIAL = 128;

export = (RED: NodeAPI): void => {
  defineNode<CameraCaptureConfig>(
    RED,
    'camera-capture',
    schema,
    (node, config) => {
      const settings = readCaptureSettings(config);
      const link = stationOf(RED, node, config.station);
      const closing = new AbortController();
      const source = openFrameSource(
        config,
        settings,
        node.credentials as Credentials,
        RED.settings.userDir ?? process.cwd(),
      );
      const takePicture = pictureTaker(config, settings, source);
      const cameraTimeoutMs = hasTimeout(config.source) ? settings.timeoutMs : Number.POSITIVE_INFINITY;
      const watching = config.source === 'folder' && config.folderMode === 'watch';

      const queue = new CaptureQueue<PendingCapture>(settings.queueLength, capture);
      const status = new CaptureStatus(node, queue, source, watching);
      queue.on('changed', () => status.show());
      source?.on('status', () => status.show());
      source?.on('skipped', ({ name, reason }) => node.warn(`${name}: ${reason}`));

      async function capture(pending: PendingCapture): Promise<void> {
        const { station, inspection, message } = pending;
        const started = performance.now();
        try {
          const taken = await withinTime(inspection, cameraTimeoutMs, closing.signal, (signal) =>
            takePicture(station, message, signal),
          );
          pending.finish(await picturedMessage(station, inspection, taken, message, closing.signal));
          status.captured(performance.now() - started);
        } catch (error) {
          status.failed(error);
          await failInspection(node, station, inspection, error);
          pending.fail(error);
        }
      }

      /** Opens the inspection. A part type that cannot be used still gets its one verdict. */
      async function openInspection(station: Station, message: InspectionMessage): Promise<Inspection> {
        const part = { serial: serialOf(message.serial), trigger: triggerOf(message), route: node.flow };
        const { deadlineMs } = settings;
        try {
          return station.inspections.open({ ...part, partType: partTypeOf(message.partType), deadlineMs });
        } catch (error) {
          if (!(error instanceof PartTypeInvalid)) throw error;
          const inspection = station.inspections.open({ ...part, partType: settings.partType, deadlineMs });
          await failInspection(node, station, inspection, error);
          throw error;
        }
      }

      function partTypeOf(wished: unknown): string {
        if (config.partTypeFrom === 'fixed' || wished === undefined || wished === '') return settings.partType;
        return readPartType(wished);
      }

      /** A picture that came by API or from a browser: refused before an inspection begins when it cannot be read. */
      async function takeUpload(station: Station, submission: Submission): Promise<Inspection> {
        const { picture, source: from } = submission;
        const partType = partTypeOf(submission.partType);
        const deadline = settings.deadlineMs === undefined ? undefined : Date.now() + settings.deadlineMs;
        const info = await station.inspectPicture(picture, deadline);
        const opened = station.inspections.open({
          partType,
          serial: serialOf(submission.serial),
          trigger: { source: from },
          route: node.flow,
          deadlineMs: settings.deadlineMs,
        });
        const inspection = station.inspections.attachPicture(opened, picture, info);
        node.send({ payload: picture, inspection });
        return inspection;
      }

      function takeUploads(station: Station): () => void {
        if (station.intake.size > 0) {
          node.warn(
            node.translation.shared(
              'warnings.second-intake',
              'Another camera-capture node of this station takes the pictures sent to the HTTP API already. ' +
                'This one takes them only when the other is removed.',
            ),
          );
        }
        return station.intake.register((submission) => takeUpload(station, submission));
      }

      async function watchFolder(station: Station, frames: FrameSource): Promise<void> {
        while (!closing.signal.aborted) {
          try {
            const file = await nextFile(frames);
            const inspection = station.inspections.open({
              partType: settings.partType,
              trigger: { source: 'folder' },
              route: node.flow,
              deadlineMs: settings.deadlineMs,
            });
            await inspectFile(station, inspection, file);
            // the next file waits for this one's verdict, so that a full folder is no overload
            await station.inspections.settled(inspection.id);
          } catch (error) {
            if (closing.signal.aborted) return;
            status.failed(error);
            node.fail(error);
            await pause(WATCH_RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
          }
        }
      }

      /** The next file of the folder; one that cannot be read stands for a part all the same. */
      async function nextFile(frames: FrameSource): Promise<Capture | FileUnreadable> {
        try {
          const { picture, name } = await frames.next(closing.signal);
          return { picture, filename: name };
        } catch (error) {
          if (error instanceof FileUnreadable) return error;
          throw error;
        }
      }

      async function inspectFile(
        station: Station,
        inspection: Inspection,
        file: Capture | FileUnreadable,
      ): Promise<void> {
        const started = performance.now();
        try {
          if (file instanceof FileUnreadable) throw file;
          node.send(await picturedMessage(station, inspection, file, {}, closing.signal));
          status.captured(performance.now() - started);
        } catch (error) {
          await failInspection(node, station, inspection, error);
          status.failed(error);
          node.fail(error, { inspection, filename: file instanceof FileUnreadable ? file.file : file.filename });
        }
      }

      link.whenOpen((station) => {
        status.show();
        const stopUploads = config.acceptUploads ? takeUploads(station) : undefined;
        if (watching && source) void watchFolder(station, source);
        return stopUploads;
      });

      node.onClose(async () => {
        closing.abort(new CaptureInterrupted());
        const waiting = queue.close();
        await source?.close();
        for (const pending of await waiting) {
          await failInspection(node, pending.station, pending.inspection, new CaptureInterrupted());
          pending.finish(null);
        }
      });

      return {
        async onInput(message) {
          if (watching) {
            throw new InvalidInput(
              'This node takes each new file of the folder by itself; messages do not trigger it.',
            );
          }
          const station = await link.open();
          const inspection = await openInspection(station, message);
          return new Promise<Output>((finish, fail) => {
            if (queue.offer({ station, inspection, message, finish, fail }) !== 'missed') return;
            status.show();
            const { missed, waiting } = queue;
            node.warn(
              node.translation.shared(
                'warnings.missed',
                'Trigger missed: a picture is being taken and __waiting__ triggers wait already. ' +
                  '__missed__ missed since the start.',
                { missed, waiting },
              ),
            );
            station.inspections
              .fail(inspection, 'overload', 'The camera was busy when this part was triggered.')
              .then(() => finish(null), fail);
          });
        },
      };
    },
    { credentials: { user: { type: 'text' }, password: { type: 'password' } } },
  );
};

async function picturedMessage(
  station: Station,
  opened: Inspection,
  { picture, ...facts }: Capture,
  message: InspectionMessage,
  closing: AbortSignal,
): Promise<InspectionMessage> {
  const info = await unlessClosed(closing, station.inspectPicture(picture, Date.parse(opened.deadlineAt)));
  const inspection = station.inspections.attachPicture(opened, picture, info);
  return { ...message, payload: picture, inspection, ...facts };
}

/** What `work` gives. @throws the reason of `closing` when that comes first */
async function unlessClosed<T>(closing: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = () => {};
  const closed = new Promise<never>((_, reject) => {
    stop = () => reject(closing.reason);
  });
  closing.addEventListener('abort', stop);
  if (closing.aborted) stop();
  try {
    return await Promise.race([work, closed]);
  } finally {
    closing.removeEventListener('abort', stop);
  }
}

async function failInspection(
  node: InspectionNode,
  station: Station,
  inspection: Inspection,
  error: unknown,
): Promise<void> {
  await station.inspections.fail(inspection, reasonOf(error), node.translation.message(error));
}

/** Runs `take` until the camera's time or the inspection's deadline is over, or the node closes. */
async function withinTime<T>(
  inspection: Inspection,
  timeoutMs: number,
  closing: AbortSignal,
  take: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const untilDeadline = Date.parse(inspection.deadlineAt) - Date.now();
  if (untilDeadline <= 0) throw new CaptureTooLate();
  const controller = new AbortController();
  const end = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason));
  });
  end.catch(() => {});
  const stop = () => controller.abort(closing.reason);
  const timer = setTimeout(
    () => controller.abort(timeoutMs < untilDeadline ? new CaptureTimeout(timeoutMs) : new CaptureTooLate()),
    Math.min(timeoutMs, untilDeadline),
  );
  closing.addEventListener('abort', stop);
  if (closing.aborted) stop();
  try {
    return await Promise.race([take(controller.signal), end]);
  } finally {
    clearTimeout(timer);
    closing.removeEventListener('abort', stop);
  }
}

const TRIGGER_SOURCES: readonly string[] = ['message', 'plc', 'folder', 'api', 'browser', 'simulator'];

/** What triggered, as a plc-trigger tells it in `msg.trigger`; anything else counts as a message. */
function triggerOf(message: InspectionMessage): Trigger {
  const { trigger } = message;
  if (typeof trigger !== 'object' || trigger === null) return { source: 'message' };
  const { source, sequence, node } = trigger as Record<string, unknown>;
  if (typeof source !== 'string' || !TRIGGER_SOURCES.includes(source)) return { source: 'message' };
  return {
    source: source as Trigger['source'],
    ...(typeof sequence === 'number' ? { sequence } : {}),
    ...(typeof node === 'string' ? { node } : {}),
  };
}

function serialOf(serial: unknown): string | undefined {
  if (typeof serial !== 'string' && typeof serial !== 'number') return undefined;
  const text = String(serial)
    .replace(/\p{Cc}/gu, '')
    .trim();
  return text === '' ? undefined : text.slice(0, LONGEST_SERIAL);
}

/** The node's status: what the camera does, what waits, what was missed, how often it had to reconnect. */
class CaptureStatus {
  private lastError: unknown = null;
  private lastCapture = '';

  constructor(
    private readonly node: InspectionNode,
    private readonly queue: CaptureQueue<PendingCapture>,
    private readonly source: FrameSource | null,
    private readonly watching: boolean,
  ) {}

  captured(milliseconds: number): void {
    this.lastError = null;
    this.lastCapture = `${Math.round(milliseconds)} ms`;
    this.show();
  }

  failed(error: unknown): void {
    this.lastError = error;
    this.show();
  }

  show(): void {
    const { state, translation } = this.node;
    const { busy, waiting, missed } = this.queue;
    const reconnects = this.source?.status.reconnects ?? 0;
    const troubles = [
      ...(missed > 0 ? [translation.shared('status.missed', '__count__ triggers missed', { count: missed })] : []),
      ...(reconnects > 0
        ? [translation.shared('status.reconnects', '__count__ reconnects', { count: reconnects })]
        : []),
    ];
    if (waiting > 0) state.queued(waiting);
    else if (busy) state.working(translation.shared('status.capturing', 'capturing'));
    else if (this.lastError !== null) state.failed(this.lastError);
    else if (troubles.length > 0) state.degraded(troubles.join(' · '));
    else if (this.lastCapture !== '') state.ready(this.lastCapture);
    else if (this.watching) state.ready(translation.shared('status.watching', 'watching the folder'));
    else state.ready();
  }
}
