import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../engine/domain';

describe('The pages of the stock flow', () => {
  let userDir: string;
  beforeEach(() => {
    userDir = mkdtempSync(join(tmpdir(), 'stock-flow-'));
  });
  afterEach(() => rmSync(userDir, { recursive: true, force: true }));

  type Node = { readonly type: string; readonly name?: string };
  const stock = () => JSON.parse(readFileSync(join(packageRoot, 'flows/inspection-line.json'), 'utf8')) as Node[];

  /** The flow that a first start in a language leaves in the user folder. */
  function started(language: string): Node[] {
    const env = { ...process.env, LC_ALL: language, USER_DIR: userDir };
    execFileSync(process.execPath, ['-e', 'require("./settings.js")'], { cwd: packageRoot, env });
    return JSON.parse(readFileSync(join(userDir, 'flows.json'), 'utf8')) as Node[];
  }
  const pages = (flow: readonly Node[]) => flow.filter(({ type }) => type === 'ui-page').map(({ name }) => name);

  it('are called as the texts call them, in the language of the system', () => {
    const flow = started('de_DE.UTF-8');
    const names = ['Linie', 'Nachprüfung', 'Training', 'Modelle', 'Einstellungen', 'Kamera'];
    assert.deepEqual(pages(flow), names);
    const others = (nodes: readonly Node[]) => nodes.filter(({ type }) => type !== 'ui-page');
    assert.deepEqual(others(flow), others(stock()));
  });

  it('are English elsewhere, and stay as they are at a later start', () => {
    assert.deepEqual(started('C.UTF-8'), stock());
    assert.deepEqual(started('de_DE.UTF-8'), stock());
  });
});
