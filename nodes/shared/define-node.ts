import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { InspectionMessage } from './messages';
import { type ConfigSchema, migrateConfig, type SavedConfig } from './migrations';
import { NodeState } from './node-state';
import { Translation } from './translation';

/** What may leave a node: one message, one per output, or nothing. */
export type Output = InspectionMessage | (InspectionMessage | InspectionMessage[] | null)[] | null;

export type Send = (output: Output) => void;

/** What a node of the pack does. */
export interface Behaviour {
  /**
   * Handles one message. What it returns is sent; a node that sends and then fails calls `send` and throws.
   * Whatever it throws reaches the status, the log and Catch nodes.
   */
  onInput?(message: InspectionMessage, send: Send): Promise<Output | undefined> | Output | undefined;
  /** Ends everything the node began. More than 5 s are not waited for. */
  onClose?(removed: boolean): Promise<void> | void;
}

/** The node as its behaviour sees it. */
export interface InspectionNode<Credentials = Record<string, string>> {
  readonly id: string;
  /** Id of the flow tab (or subflow instance) the node is on. */
  readonly flow: string;
  readonly name: string;
  readonly state: NodeState;
  readonly translation: Translation;
  readonly credentials: Partial<Credentials>;
  /** Node-RED's own object, for what is not offered here. */
  readonly red: Node;
  /** Sends outside of an input, for example on a watch event. */
  send(output: Output): void;
  /** Shows the error in the status, writes it to the log and tells Catch nodes. */
  fail(error: unknown, message?: InspectionMessage): void;
  warn(text: string): void;
  /** Registers something to be undone when the node closes; the last registered is undone first. */
  onClose(undo: () => Promise<void> | void): void;
}

export interface NodeOptions {
  readonly credentials?: Readonly<Record<string, { type: 'text' | 'password' }>>;
}

const CLOSE_LIMIT_MS = 5_000;

/**
 * Registers a node type. All nodes of the pack come through here, so that each input ends in exactly one `done`, each
 * error reaches status, log and Catch nodes, no promise is left to reject unheard, and closing ends in time.
 *
 * @param schema defaults and migrations of the configuration
 * @param setup  called for each instance; what it throws (for example a bad configuration) marks the node as failed and
 *               every message then fails with the same error
 */
export function defineNode<Config>(
  RED: NodeAPI,
  type: string,
  schema: ConfigSchema<Config>,
  setup: (node: InspectionNode, config: Config) => Behaviour,
  options: NodeOptions = {},
): void {
  function construct(this: Node, saved: NodeDef): void {
    RED.nodes.createNode(this, saved);
    const undos: (() => Promise<void> | void)[] = [];
    const node = wrap(RED, this, undos);
    const behaviour = setUp(node, () => setup(node, migrateConfig(schema, saved as unknown as SavedConfig)));

    // Node-RED decides by the number of declared parameters whether a node calls `done` itself: keep all three.
    this.on('input', (message, send, done) => {
      void handleInput(node, behaviour, message as InspectionMessage, send as Send, done);
    });
    this.on('close', (removed: boolean, done: () => void) => {
      const everything = [...(behaviour.onClose ? [() => behaviour.onClose?.(removed)] : []), ...undos.reverse()];
      void closeAll(node, everything).then(done);
    });
  }
  RED.nodes.registerType(type, construct, { credentials: options.credentials });
}

function wrap(RED: NodeAPI, red: Node, undos: (() => Promise<void> | void)[]): InspectionNode {
  const translation = new Translation(RED);
  const state = new NodeState(red, translation);
  return {
    id: red.id,
    flow: red.z,
    name: red.name ?? '',
    state,
    translation,
    credentials: (red as Node<Record<string, string>>).credentials ?? {},
    red,
    send: (output) => {
      if (output !== null) red.send(output);
    },
    fail: (error, message) => {
      state.failed(error);
      red.error(reportOf(translation, error), message ?? {});
    },
    warn: (text) => red.warn(text),
    onClose: (undo) => undos.push(undo),
  };
}

function setUp(node: InspectionNode, create: () => Behaviour): Behaviour {
  try {
    return create();
  } catch (error) {
    node.fail(error);
    return {
      onInput: () => {
        throw error;
      },
    };
  }
}

async function handleInput(
  node: InspectionNode,
  behaviour: Behaviour,
  message: InspectionMessage,
  send: Send,
  done: (error?: Error) => void,
): Promise<void> {
  try {
    const output = await behaviour.onInput?.(message, send);
    if (output !== undefined && output !== null) send(output);
  } catch (error) {
    node.state.failed(error);
    done(reportOf(node.translation, error));
    return;
  }
  done();
}

/** The error with its text in the server's language, and the typed original as its cause. */
function reportOf(translation: Translation, error: unknown): Error {
  const report = new Error(translation.message(error), { cause: error });
  if (error instanceof Error) {
    report.name = error.name;
    report.stack = error.stack;
  }
  return report;
}

async function closeAll(node: InspectionNode, undos: readonly (() => Promise<void> | void)[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      node.warn(`closing took longer than ${CLOSE_LIMIT_MS / 1000} s`);
      resolve();
    }, CLOSE_LIMIT_MS);
  });
  await Promise.race([limit, undoAll(node, undos)]);
  clearTimeout(timer);
}

async function undoAll(node: InspectionNode, undos: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const undo of undos) {
    try {
      await undo();
    } catch (error) {
      node.warn(`closing: ${node.translation.message(error)}`);
    }
  }
}
