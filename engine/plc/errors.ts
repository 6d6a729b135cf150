import { InspectionError } from '../domain';

/** The device cannot be reached: no connection yet, connection lost, or connection closed. */
export class PlcUnavailable extends InspectionError {
  constructor(device: string, cause: string) {
    super({
      code: 'plc-unavailable',
      status: 'PLC not connected',
      message: `No connection to ${device}: ${cause}. Check that the device is on, the cable, the address and the port; the connection is tried again by itself.`,
      parameters: { device, cause },
      httpStatus: 503,
    });
  }
}

/** The device did not answer in time, or the request waited too long for its turn. */
export class PlcTimeout extends InspectionError {
  constructor(device: string, request: string, milliseconds: number, stage: 'answer' | 'queue' = 'answer') {
    super({
      ...(stage === 'answer'
        ? {
            code: 'plc-timeout',
            status: 'PLC does not answer',
            message: `${device} did not answer "${request}" within ${milliseconds} ms. Check the unit id, and whether the device is overloaded or its program is stopped.`,
          }
        : {
            code: 'plc-queue-timeout',
            status: 'PLC too slow',
            message: `"${request}" waited ${milliseconds} ms for its turn on ${device}. The device answers too slowly for the number of requests: poll less often.`,
          }),
      parameters: { device, request, milliseconds },
      httpStatus: 504,
    });
  }
}

/** More requests wait for the device than the queue holds. */
export class PlcOverload extends InspectionError {
  constructor(device: string, limit: number) {
    super({
      code: 'plc-overload',
      status: 'too many PLC requests',
      message: `${limit} requests wait for ${device} already. The device answers too slowly for the number of requests: poll less often.`,
      parameters: { device, limit },
      reason: 'overload',
      httpStatus: 503,
    });
  }
}

/** The device answered with something that is no valid answer to the request. */
export class PlcAnswerInvalid extends InspectionError {
  constructor(device: string, request: string, cause: string) {
    super({
      code: 'plc-answer-invalid',
      status: 'invalid PLC answer',
      message: `${device} answered "${request}" with something else than Modbus expects (${cause}). Check that a Modbus server listens on this port, and on a serial line the baud rate, parity and wiring.`,
      parameters: { device, request, cause },
      httpStatus: 502,
    });
  }
}

interface ExceptionText {
  readonly code: string;
  readonly name: string;
  readonly advice: string;
}

/** The exception codes of the Modbus Application Protocol Specification V1.1b3, section 7. */
const EXCEPTIONS: Readonly<Record<number, ExceptionText>> = {
  1: {
    code: 'plc-illegal-function',
    name: 'illegal function',
    advice: 'The device does not know this kind of request: check whether it has coils or only registers.',
  },
  2: {
    code: 'plc-illegal-address',
    name: 'illegal data address',
    advice:
      'The device has no such address: check it (addresses count from 0 here: 40001 is register 0) and the count.',
  },
  3: {
    code: 'plc-illegal-value',
    name: 'illegal data value',
    advice: 'The device refuses this value or count: check the register length.',
  },
  4: {
    code: 'plc-device-failure',
    name: 'server device failure',
    advice: 'The device failed to execute the request: look at its own diagnostics.',
  },
  5: {
    code: 'plc-needs-longer',
    name: 'acknowledge',
    advice: 'The device needs longer: raise the response timeout.',
  },
  6: { code: 'plc-busy', name: 'server device busy', advice: 'The device is busy: poll less often.' },
  8: {
    code: 'plc-memory-damaged',
    name: 'memory parity error',
    advice: 'The device found its memory damaged: have it serviced.',
  },
  10: {
    code: 'plc-gateway-path',
    name: 'gateway path unavailable',
    advice: 'The gateway has no way to this unit: check the gateway and the unit id.',
  },
  11: {
    code: 'plc-gateway-target',
    name: 'gateway target failed to respond',
    advice: 'The unit behind the gateway does not answer: check the unit id, its power and its wiring.',
  },
};

const UNKNOWN_EXCEPTION: ExceptionText = {
  code: 'plc-exception',
  name: 'unknown exception',
  advice: "Look the code up in the device's manual.",
};

/** The device refused a request with a Modbus exception. */
export class PlcException extends InspectionError {
  /** 1..255, see the Modbus specification. */
  readonly exceptionCode: number;

  constructor(device: string, request: string, exceptionCode: number) {
    const { code, name, advice } = EXCEPTIONS[exceptionCode] ?? UNKNOWN_EXCEPTION;
    super({
      code,
      status: `PLC: ${name}`,
      message: `${device} refused "${request}" with Modbus exception ${exceptionCode} (${name}). ${advice}`,
      parameters: { device, request, exceptionCode },
      httpStatus: 502,
    });
    this.exceptionCode = exceptionCode;
  }
}

/** A sequence that has its result got another one. */
export class ResultContradicts extends InspectionError {
  constructor(sequence: number, verdict: string) {
    super({
      code: 'plc-result-contradicts',
      status: `second result for #${sequence}`,
      message: `Sequence ${sequence} has its result already; ${verdict} of another inspection is not written. Check that nothing but plc-trigger starts inspections with this sequence, and that plc-trigger knows the station.`,
      parameters: { sequence, verdict },
    });
  }
}
