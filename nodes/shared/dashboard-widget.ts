import type { Node, NodeAPI } from 'node-red';
import { API_PATH } from '../../engine/api';
import { InspectionError } from '../../engine/domain';
import type { InspectionNode } from './define-node';

/** What every dashboard widget node is configured with. */
export interface WidgetConfig {
  readonly version: number;
  readonly name: string;
  /** Id of the ui-group. */
  readonly group: string;
  /** Place in the group. */
  readonly order: number;
  /** In columns; 0: as wide as the group. */
  readonly width: number | string;
  /** In rows; 0: as high as the content. */
  readonly height: number | string;
  /** Id of the inspection-station. */
  readonly station: string;
  /** 'auto': the browser's. */
  readonly language: 'auto' | 'en-US' | 'de';
}

export const widgetDefaults: Omit<WidgetConfig, 'version'> = {
  name: '',
  group: '',
  order: 0,
  width: 0,
  height: 0,
  station: '',
  language: 'auto',
};

/** The dashboard's side of a group, as far as widgets use it. */
interface GroupNode extends Node {
  register(widget: Node, props: object, events: WidgetEvents): void;
  getBase(): { emit(event: string, message: object, widget: Node): void };
}

export interface WidgetEvents {
  /** A message the widget sent from a browser. It comes from outside: check it. */
  onSend?(message: Readonly<Record<string, unknown>>): void | Promise<void>;
}

export class GroupMissing extends InspectionError {
  constructor() {
    super({
      code: 'group-missing',
      status: 'no dashboard group',
      message: 'The dashboard group of this widget is missing. Open the node, choose or add a group, and deploy.',
    });
  }
}

export interface DashboardWidget {
  /** Sends a message to the widget in every browser that shows it. */
  toBrowsers(message: object): void;
}

/**
 * Puts a node's widget on the dashboard. The widget gets the node's configuration and the address of the API.
 *
 * @throws {GroupMissing} when the configured group does not exist
 */
export function registerWidget(
  RED: NodeAPI,
  node: InspectionNode,
  config: WidgetConfig,
  events: WidgetEvents = {},
): DashboardWidget {
  const group = RED.nodes.getNode(config.group) as GroupNode | null;
  if (typeof group?.register !== 'function') throw new GroupMissing();
  const { red } = node;
  // The dashboard removes some properties from what it is given: it gets a copy.
  const props = { ...config, id: red.id, type: red.type, z: red.z, apiBase: apiBaseOf(RED.settings.httpNodeRoot) };
  group.register(red, props, { onSend: (message) => guarded(node, events, message) });
  return { toBrowsers: (message) => group.getBase().emit(`msg-input:${red.id}`, message, red) };
}

/** The address of the API as browsers see it, without a trailing slash. */
export function apiBaseOf(httpNodeRoot: unknown): string {
  const root = typeof httpNodeRoot === 'string' ? httpNodeRoot.replace(/^\/+|\/+$/g, '') : '';
  return (root === '' ? '' : `/${root}`) + API_PATH;
}

async function guarded(node: InspectionNode, events: WidgetEvents, message: unknown): Promise<void> {
  if (typeof message !== 'object' || message === null) return;
  try {
    await events.onSend?.(message as Record<string, unknown>);
  } catch (error) {
    node.fail(error);
  }
}
