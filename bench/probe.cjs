/** Loaded into Node-RED by bench/line.ts: answers over IPC with event-loop delay and memory of this process. */
const { monitorEventLoopDelay } = require('node:perf_hooks');

// Node-RED's own children inherit the preload; only the main process is measured.
if (process.argv[1]?.endsWith('red.js')) answerQuestions();

function answerQuestions() {
  const resolution = 5;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  // The histogram holds the time between two ticks; what is over the resolution is delay.
  const overResolution = (nanoseconds) => nanoseconds / 1e6 - resolution;

  process.on('message', (request) => {
    if (request === 'reset') {
      delay.reset();
      process.send({ kind: 'reset' });
    }
    if (request === 'measure') {
      global.gc?.();
      process.send({
        kind: 'measure',
        delayP50Ms: overResolution(delay.percentile(50)),
        delayP99Ms: overResolution(delay.percentile(99)),
        delayMaxMs: overResolution(delay.max),
        heapMb: process.memoryUsage().heapUsed / 2 ** 20,
        rssMb: process.memoryUsage().rss / 2 ** 20,
      });
    }
  });
}
