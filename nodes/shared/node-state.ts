import type { Node } from 'node-red';
import type { Translation } from './translation';

/**
 * A node's status by intent: the same colours and shapes on every node of the pack.
 * Colour is never the only sign: each state has its own shape or text.
 */
export class NodeState {
  constructor(
    private readonly node: Node,
    private readonly translation: Translation,
  ) {}

  /** Works as it should. */
  ready(text = this.translation.shared('status.ready', 'ready')): void {
    this.node.status({ fill: 'green', shape: 'dot', text });
  }

  /** Busy with a part or a job. */
  working(text = this.translation.shared('status.working', 'working')): void {
    this.node.status({ fill: 'blue', shape: 'dot', text });
  }

  /** Busy, with `count` more waiting. */
  queued(count: number): void {
    const text = this.translation.shared('status.queued', '__count__ waiting', { count });
    this.node.status({ fill: 'blue', shape: 'ring', text });
  }

  /** Works, but not as well as it should: someone ought to look. */
  degraded(text: string): void {
    this.node.status({ fill: 'yellow', shape: 'ring', text });
  }

  /** Cannot work. */
  failed(error: unknown): void {
    this.node.status({ fill: 'red', shape: 'ring', text: this.translation.status(error) });
  }

  /** Nothing to say. */
  idle(text = ''): void {
    this.node.status(text === '' ? {} : { fill: 'grey', shape: 'ring', text });
  }
}
