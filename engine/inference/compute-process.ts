import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { forkModule } from './fork';
import type { FromChild, TaskError, ToChild } from './protocol';

const OUTPUT_LINES = 20;
const OUTPUT_LINE_LENGTH = 500;

export interface ComputeProcessEvents {
  ready: [];
  /** The task modules cannot be loaded: trying again will not help until something is repaired. */
  'start-failed': [message: string];
  loading: [loading: boolean];
  result: [id: number, value: unknown];
  failed: [id: number, error: TaskError];
  output: [line: string];
  /** It is gone, and everything it wrote has been read. `how` names the exit code or the signal. */
  exit: [how: string];
}

/** One child process from its start to its end. */
export class ComputeProcess extends EventEmitter<ComputeProcessEvents> {
  private readonly child: ChildProcess;
  private readonly lines: string[] = [];
  private readonly gone: Promise<void>;

  /** @throws when the system refuses a new process at once */
  constructor(start: Extract<ToChild, { type: 'start' }>) {
    super();
    this.child = forkModule(join(__dirname, 'child'), [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Fewer glibc arenas: picture buffers come and go on several threads, and memory shall stay flat.
      env: { MALLOC_ARENA_MAX: '2', ...process.env },
    });
    this.gone = this.watch();
    this.send(start);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The last lines it wrote, for error messages; empty when it wrote nothing. */
  get lastOutput(): string {
    return this.lines.join('\n');
  }

  /** @throws {DOMException} DataCloneError when the arguments cannot be sent */
  send(message: ToChild): void {
    // A closed channel means that the process is ending, or never began, which `exit` tells.
    if (this.child.connected) this.child.send(message, () => {});
  }

  /** Ends it at once and resolves when it is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone;
  }

  private async watch(): Promise<void> {
    const { child } = this;
    child.on('message', (message: FromChild) => this.receive(message));
    this.readLines(child.stdout);
    this.readLines(child.stderr);
    const closed = once(child, 'close');
    closed.catch(() => {});
    const how = await new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(`could not be started (${error.message})`);
      });
    });
    if (child.pid !== undefined) await drained(child, closed);
    this.emit('exit', how);
  }

  private receive(message: FromChild): void {
    switch (message.type) {
      case 'ready':
        this.emit('ready');
        break;
      case 'start-failed':
        this.emit('start-failed', message.message);
        break;
      case 'loading':
        this.emit('loading', message.loading);
        break;
      case 'result':
        this.emit('result', message.id, message.value);
        break;
      case 'error':
        this.emit('failed', message.id, message.error);
        break;
    }
  }

  private readLines(stream: NodeJS.ReadableStream | null): void {
    let rest = '';
    const add = (line: string) => {
      if (line.trim() === '') return;
      const short = line.slice(0, OUTPUT_LINE_LENGTH);
      this.lines.push(short);
      if (this.lines.length > OUTPUT_LINES) this.lines.shift();
      this.emit('output', short);
    };
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      const parts = (rest + text).split(/\r?\n/);
      rest = (parts.pop() ?? '').slice(0, OUTPUT_LINE_LENGTH);
      parts.forEach(add);
    });
    stream?.on('end', () => add(rest));
    stream?.on('error', () => {});
  }
}

/** Waits for the pipes' end, but not for long: a process the child started may hold them. */
async function drained(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  const patience = new AbortController();
  const timeout = sleep(300, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([closed.catch(() => {}), timeout]);
  patience.abort();
  child.stdout?.destroy();
  child.stderr?.destroy();
}
