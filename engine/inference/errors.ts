import { InspectionError } from '../domain';

/** More requests than the queue takes; the request was not run. */
export class Overload extends InspectionError {
  constructor(queueLimit: number) {
    super({
      code: 'overload',
      status: 'overload',
      message:
        `Parts arrive faster than they can be inspected: ${queueLimit} requests were waiting already. ` +
        'Lengthen the time between parts, or raise the pool size or the queue length of the inspection station.',
      parameters: { queueLimit },
      reason: 'overload',
      httpStatus: 503,
    });
  }
}

/** The request was not done by its deadline; `stage` tells whether it was still waiting or already running. */
export class DeadlineExceeded extends InspectionError {
  constructor(task: string, stage: 'queue' | 'run') {
    super({
      code: 'deadline-exceeded',
      status: 'deadline exceeded',
      message:
        stage === 'queue'
          ? `The deadline passed while ${task} waited for its turn. Lengthen the time between parts, or raise the pool size or the deadline of the inspection station.`
          : `${task} was not done by its deadline. Raise the deadline of the inspection station, or use a smaller model or picture.`,
      parameters: { task, stage },
      reason: 'deadline-exceeded',
      httpStatus: 504,
    });
  }
}

/** The process that ran the request ended, could not start, or met an error nobody foresaw. */
export class InferenceFailed extends InspectionError {
  constructor(message: string, cause?: unknown) {
    super({
      code: 'inference-failed',
      status: 'inference failed',
      message,
      reason: 'inference-failed',
      httpStatus: 500,
      cause,
    });
  }
}

/** The pool was closed before the request was done. */
export class PoolClosed extends InspectionError {
  constructor() {
    super({
      code: 'pool-closed',
      status: 'closed',
      message: 'The inspection station was closed before the request was done. Send it again once the station is open.',
      reason: 'interrupted',
      httpStatus: 503,
    });
  }
}

/** onnxruntime-node is not installed or does not load on this machine. */
export class RuntimeMissing extends InspectionError {
  constructor(detail: string, cause?: unknown) {
    super({
      code: 'runtime-missing',
      status: 'ONNX Runtime missing',
      message:
        `ONNX Runtime cannot be loaded: ${detail}. Install it with "npm install onnxruntime-node" in the Node-RED user folder ` +
        '(64-bit Linux with glibc, Windows or macOS) and restart Node-RED.',
      parameters: { detail },
      reason: 'runtime-missing',
      httpStatus: 503,
      cause,
    });
  }
}
