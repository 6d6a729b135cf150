import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 10_000;
/** Where the system takes the ports of outgoing connections from, where it does not say: as Linux does unless told. */
const USUAL_EPHEMERAL = 32_768;
/** Neighbouring process ids begin far from each other. */
const STRIDE = 641;

/** How many ports were looked at by this process. */
let steps = 0;

/**
 * A TCP port that nobody listens on just now, of 127.0.0.1.
 *
 * The system would give one that any outgoing connection may take before it is listened on. This one is of those that are
 * only taken by who asks for them by number; each process asks for others, and none for the same twice.
 */
export async function freePort(): Promise<number> {
  const count = firstEphemeral() - LOWEST;
  while (steps < count) {
    const port = LOWEST + ((process.pid * STRIDE + steps) % count);
    steps += 1;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${LOWEST} to ${LOWEST + count - 1} is free`);
}

function firstEphemeral(): number {
  try {
    const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
    return first > LOWEST + STRIDE ? first : USUAL_EPHEMERAL;
  } catch {
    return USUAL_EPHEMERAL;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
