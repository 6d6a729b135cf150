/** What Node-RED's editor and runtime need of the package, checked on the built files: the test helper reads none of it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { packageRoot, REASON_CODES } from '../../engine/domain';
import type { ConfigSchema } from '../../nodes/shared';

interface EditorDefinition {
  readonly category: string;
  readonly color?: string;
  readonly icon?: string;
  readonly outputs?: number;
  readonly defaults: Readonly<Record<string, { readonly value: unknown; readonly type?: string }>>;
  readonly credentials?: Readonly<Record<string, unknown>>;
}

type Catalog = { readonly [key: string]: string | Catalog };

const LANGUAGES = ['en-US', 'de'] as const;
const sharedFolders = ['shared'];

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  'node-red': { nodes: Record<string, string> };
  'node-red-dashboard-2': { widgets: Record<string, unknown> };
};
const types = Object.keys(manifest['node-red'].nodes);
const examples = readdirSync(join(packageRoot, 'examples'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({
    file,
    nodes: JSON.parse(readFileSync(join(packageRoot, 'examples', file), 'utf8')) as Record<string, unknown>[],
  }));

describe('package', () => {
  it('lists every node folder in package.json', () => {
    const folders = readdirSync(join(packageRoot, 'nodes')).filter((name) => !sharedFolders.includes(name));
    assert.deepEqual(
      folders.filter((name) => !types.includes(name)),
      [],
    );
  });

  it('has a text in both languages for every reason', () => {
    for (const language of LANGUAGES) {
      const { reasons } = catalogOf('inspection-station', language) as { reasons: Catalog };
      assert.deepEqual(Object.keys(reasons).sort(), [...REASON_CODES].sort());
    }
  });

  it('has a status text for every error a node can show', () => {
    const { errors } = catalogOf('inspection-station', 'en-US') as { errors: Record<string, Catalog> };
    const missing = errorCodes().filter((code) => errors[code]?.status === undefined);
    assert.deepEqual(missing, []);
  });

  it('has a text for every shared key the nodes ask for', () => {
    const catalog = catalogOf('inspection-station', 'en-US');
    const asked = sources(join(packageRoot, 'nodes')).flatMap((text) =>
      [...text.matchAll(/\.shared\(\s*'([\w.-]+)'/g)].map(([, key]) => key),
    );
    assert.ok(asked.length > 10);
    assert.deepEqual(
      asked.filter((key) => lookUp(catalog, key) === undefined),
      [],
    );
  });
});

for (const type of types) {
  describe(`package: ${type}`, () => {
    const built = join(packageRoot, 'dist/nodes', type);
    const html = () => readFileSync(join(built, `${type}.html`), 'utf8');

    it('has its runtime file, its editor html and its icon where Node-RED looks for them', () => {
      assert.equal(manifest['node-red'].nodes[type], `dist/nodes/${type}/${type}.js`);
      assert.ok(existsSync(join(built, `${type}.js`)), 'runtime file');
      assert.match(html(), new RegExp(`<script type="text/html" data-template-name="${type}">`));
      const definition = definitionOf(type, html());
      if (definition.category !== 'config') {
        assert.equal(definition.icon, `${type}.svg`);
        assert.equal(definition.category, 'inspection');
        assert.equal(definition.color, '#3FADB5');
      }
      assert.match(readFileSync(join(built, 'icons', `${type}.svg`), 'utf8'), /^<svg [^>]*viewBox="0 0 40 60"/);
    });

    it('registers its defaults as an inline literal that equals the runtime defaults', () => {
      assert.match(html(), new RegExp(`RED\\.nodes\\.registerType\\(["']${type}["'], \\{`));
      const { defaults } = definitionOf(type, html());
      const { schema } = require(join(packageRoot, 'nodes', type, 'config')) as { schema: ConfigSchema<unknown> };
      const values = Object.fromEntries(Object.entries(defaults).map(([key, { value }]) => [key, value]));
      assert.deepEqual(values, { ...(schema.defaults as object), version: schema.migrations.length });
    });

    it('has a form field for every default and credential', () => {
      const definition = definitionOf(type, html());
      const prefix = definition.category === 'config' ? 'node-config-input-' : 'node-input-';
      const fields = [...html().matchAll(/\bid="([\w-]+)"/g)].map(([, id]) => id);
      const wanted = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      // version is no setting; the size field of a widget stands for order, width and height
      const unseen = ['version', 'order', 'width', 'height'];
      // a list is edited in a container, as Node-RED would take the value of a field of that name
      const isThere = (key: string) =>
        fields.includes(prefix + key) ||
        (Array.isArray(definition.defaults[key]?.value) && fields.includes(`${prefix}${key}-container`));
      assert.deepEqual(
        wanted.filter((key) => !unseen.includes(key) && !isThere(key)),
        [],
      );
    });

    it('has the same texts in both languages, and all that the form asks for', () => {
      const [english, german] = LANGUAGES.map((language) => catalogOf(type, language));
      assert.deepEqual(keysOf(german), keysOf(english));
      const texts = keysOf(english);
      const asked = [
        ...[...html().matchAll(/data-i18n="(?:\[\w+\])?([\w.-]+)"/g)].map(([, key]) => key),
        ...[...html().matchAll(/this\._\(["']([\w.-]+)["']\)/g)].map(([, key]) => key),
      ];
      assert.deepEqual(
        asked.filter((key) => !texts.includes(key)),
        [],
      );
      assert.ok(texts.includes(`${type}.paletteLabel`));
    });

    it('keeps the placeholders of its texts in translation', () => {
      const [english, german] = LANGUAGES.map((language) => catalogOf(type, language));
      const placeholders = (text: unknown) => [...String(text).matchAll(/__\w+?__/g)].map(([name]) => name).sort();
      for (const key of keysOf(english)) {
        assert.deepEqual(placeholders(lookUp(german, key)), placeholders(lookUp(english, key)), key);
      }
    });

    for (const language of LANGUAGES) {
      it(`has help in ${language}`, () => {
        const help = readFileSync(join(built, 'locales', language, `${type}.html`), 'utf8');
        assert.match(help, new RegExp(`<script type="text/html" data-help-name="${type}">`));
        assert.ok(help.length > 300, 'more than a line');
      });
    }

    it('is used in an example whose properties the node knows', () => {
      const { defaults, credentials = {} } = definitionOf(type, html());
      const uses = examples.flatMap(({ file, nodes }) =>
        nodes.filter((node) => node.type === type).map((node) => ({ file, node })),
      );
      assert.ok(uses.length > 0);
      const known = [
        'id',
        'type',
        'z',
        'g',
        'x',
        'y',
        'wires',
        'd',
        'l',
        'info',
        'inputLabels',
        'outputLabels',
        'icon',
      ];
      for (const { file, node } of uses) {
        const unknown = Object.keys(node).filter(
          (key) => !known.includes(key) && !(key in defaults) && !(key in credentials),
        );
        assert.deepEqual(unknown, [], file);
        const version = defaults.version.value;
        assert.equal(node.version, version, `${file}: saved by today's version`);
      }
    });
  });
}

for (const { file, nodes } of examples) {
  describe(`example ${file}`, () => {
    const ids = nodes.map(({ id }) => String(id));

    it('is numbered, and has ids of 16 hex digits, each once', () => {
      assert.match(file, /^\d\d - /);
      assert.deepEqual(
        ids.filter((id) => !/^[0-9a-f]{16}$/.test(id)),
        [],
      );
      assert.equal(new Set(ids).size, ids.length);
    });

    it('refers only to nodes it holds', () => {
      const references = nodes.flatMap((node) => [
        ...((node.wires ?? []) as string[][]).flat(),
        ...['z', 'station', 'group', 'page', 'connection'].map((key) => node[key]).filter((id) => id),
      ]);
      assert.deepEqual(
        references.filter((id) => !ids.includes(String(id))),
        [],
      );
    });
  });
}

/** Runs the editor script with a stand-in for the editor and gives what it registers. */
function definitionOf(type: string, html: string): EditorDefinition {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  let found: EditorDefinition | undefined;
  const RED = {
    nodes: {
      registerType: (name: string, definition: EditorDefinition) => {
        if (name === type) found = definition;
      },
    },
    validators: { number: () => () => true, regex: () => () => true, typedInput: () => () => true },
  };
  runInNewContext(script, { RED, window: { RED } });
  assert.ok(found, `${type}.html registers ${type}`);
  // across the context's border object prototypes differ
  const plain = (_key: string, value: unknown) => (typeof value === 'function' ? undefined : value);
  return JSON.parse(JSON.stringify(found, plain)) as EditorDefinition;
}

function catalogOf(type: string, language: string): Catalog {
  return JSON.parse(readFileSync(join(packageRoot, 'locales', language, `${type}.json`), 'utf8')) as Catalog;
}

function keysOf(catalog: Catalog, prefix = ''): string[] {
  return Object.entries(catalog)
    .flatMap(([key, value]) => (typeof value === 'string' ? [prefix + key] : keysOf(value, `${prefix}${key}.`)))
    .sort();
}

function lookUp(catalog: Catalog, key: string): unknown {
  return key.split('.').reduce<unknown>((level, part) => (level as Catalog | undefined)?.[part], catalog);
}

/** The codes of all errors but the API's own, which people do not meet in a flow. */
function errorCodes(): string[] {
  const texts = ['engine', 'nodes'].flatMap((folder) => sources(join(packageRoot, folder)));
  const codes = texts.flatMap((text) =>
    [...text.matchAll(/^\s+code: '([a-z-]+)',\s*\n\s*status:/gm)].map(([, code]) => code),
  );
  assert.ok(codes.length > 20);
  return [...new Set(codes)].filter((code) => code !== 'malformed-path');
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') ? [readFileSync(path, 'utf8')] : [];
  });
}
