/** Mocha's spec reporter, which also hands the counts and the failed tests to scripts/run-tests.mjs. */
const { writeFileSync } = require('node:fs');
const { reporters } = require('mocha');

class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on('fail', (test, error) =>
      failed.push(`${test.fullTitle()}\n    ${error.stack ?? error.message ?? error}`),
    );
    runner.once('end', () => {
      const { passes = 0, failures = 0, pending = 0 } = this.stats;
      writeFileSync(process.env.TEST_COUNTS_FILE, JSON.stringify({ passes, failures, pending, failed }));
    });
  }
}

module.exports = CountingReporter;
