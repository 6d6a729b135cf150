/** Loaded into Node-RED by bench/line.ts: answers over IPC with event-loop delay and memory of this process. */
const { monitorEventLoopDelay } = require('node:perf_hooks');

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

process.on('message', (request) => {
  if (request === 'reset') {
    delay.reset();
    process.send({ kind: 'reset' });
  }
  if (request === 'measure') {
    global.gc?.();
    process.send({
      kind: 'measure',
      // The histogram holds the time between two ticks; what is over the resolution is delay.
      delayP50Ms: delay.percentile(50) / 1e6 - 5,
      delayP99Ms: delay.percentile(99) / 1e6 - 5,
      delayMaxMs: delay.max / 1e6 - 5,
      heapMb: process.memoryUsage().heapUsed / 2 ** 20,
      rssMb: process.memoryUsage().rss / 2 ** 20,
    });
  }
});
process.channel?.unref();
