/// <reference types="jquery" />

/** What the pack's editor scripts use of Node-RED's editor. */

interface EditorNode {
  readonly name: string;
  /** A text of the node's catalog. */
  _(key: string, parameters?: Readonly<Record<string, string | number>>): string;
  /** A property of the configuration; `oneditsave` writes those that have no form field of their own. */
  [property: string]: unknown;
}

interface EditorProperty {
  readonly value: unknown;
  /** Type of a config node this property refers to. */
  readonly type?: string;
  readonly required?: boolean;
  /** True, or false or a text when the value cannot be used. `options` is there when a text may be answered. */
  validate?(value: string, options?: object): boolean | string;
}

interface EditorNodeDefinition {
  readonly category: string;
  readonly color?: string;
  readonly icon?: string;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly defaults: Readonly<Record<string, EditorProperty & ThisType<EditorNode>>>;
  readonly credentials?: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
  label?(): string;
  labelStyle?(): string;
  paletteLabel?(): string;
  inputLabels?(index: number): string;
  outputLabels?(index: number): string;
  oneditprepare?(): void;
  oneditsave?(): void;
  oneditcancel?(): void;
  oneditresize?(size: { readonly width: number; readonly height: number }): void;
}

declare const RED: {
  readonly nodes: {
    registerType(type: string, definition: EditorNodeDefinition & ThisType<EditorNode>): void;
    node(id: string): EditorNode | null;
    subflow(id: unknown): object | null;
  };
  readonly validators: {
    number(blankAllowed?: boolean): (value: string) => boolean;
    regex(expression: RegExp): (value: string) => boolean;
  };
  _(key: string, parameters?: Readonly<Record<string, string | number>>): string;
};

interface JQuery {
  /** Node-RED's list of rows that can be added and removed. */
  editableList(options: {
    readonly removable: boolean;
    readonly sortable: boolean;
    addItem(row: JQuery, index: number, data: Readonly<Record<string, unknown>>): void;
  }): JQuery;
  editableList(method: 'addItems', rows: readonly unknown[]): void;
  editableList(method: 'items'): JQuery;
  /** Size field of a dashboard widget, from Node-RED Dashboard's editor script. */
  elementSizer(options: { readonly width: string; readonly height: string; readonly group: string }): JQuery;
}
