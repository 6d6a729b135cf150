/** All tests, or the groups named on the command line: `npm run test:only engine nodes`. */
import { runTests } from './run-tests.mjs';

const groups = ['engine', 'cli', 'nodes', 'flows', 'browser', 'package'].map((name) => [
  name,
  `test/${name}/**/*.test.ts`,
]);
const wanted = process.argv.slice(2);

await runTests(wanted.length === 0 ? groups : groups.filter(([name]) => wanted.includes(name)));
