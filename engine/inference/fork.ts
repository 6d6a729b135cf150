import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Forks a module of this package with `serialization: 'advanced'`, from the built files or, under tsx, from the sources.
 * A debugger's port is not inherited.
 *
 * @param entry absolute path without extension
 */
export function forkModule(entry: string, parameters: readonly string[] = [], options: ForkOptions = {}): ChildProcess {
  const extension = extname(__filename);
  return fork(`${entry}${extension}`, parameters, {
    serialization: 'advanced',
    execArgv: inheritedArguments(process.execArgv, extension === '.ts'),
    ...options,
  });
}

/** The interpreter's arguments for a child. A bare `tsx` would be looked up from the working folder, so it is made absolute. */
function inheritedArguments(execArgv: readonly string[], fromSources: boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const argument = execArgv[i];
    if (/^--(inspect|debug)/.test(argument)) continue;
    const loader = /^(--import|--require|--loader|-r)$/.test(argument) && /\btsx\b/.test(execArgv[i + 1] ?? '');
    if (loader) i++;
    else if (!/^--(import|require|loader)=.*\btsx\b/.test(argument)) kept.push(argument);
  }
  if (fromSources) kept.push('--import', pathToFileURL(require.resolve('tsx')).href);
  return kept;
}
