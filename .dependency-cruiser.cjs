/** The floors of the house (docs/architecture.md): a room imports only from rooms on lower floors, through their door. */
const floors = [
  ['domain'],
  ['inference', 'imaging', 'onnx', 'store', 'plc', 'packages', 'statistics', 'catalogue'],
  ['patchcore', 'detector', 'classifier', 'datasets', 'routing', 'simulator', 'camera'],
  ['learning', 'review'],
  ['api'],
  ['station'],
];

const forbidden = [
  { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  {
    name: 'engine-knows-no-node-red',
    severity: 'error',
    from: { path: '^engine/' },
    to: { path: '^(nodes|ui|cli)/|node_modules/(node-red|@node-red|@flowfuse)' },
  },
  {
    name: 'through-the-door',
    comment: 'A room is entered through its index.ts.',
    severity: 'error',
    from: { path: '^(engine/([^/]+)|nodes|cli)/' },
    to: { path: '^engine/([^/]+)/', pathNot: ['^engine/$2/', '^engine/[^/]+/index\\.ts$'] },
  },
];

floors.forEach((rooms, floor) => {
  const above = floors.slice(floor + 1).flat();
  for (const room of rooms) {
    const notBelow = [...rooms.filter((other) => other !== room), ...above];
    if (notBelow.length === 0) continue;
    forbidden.push({
      name: `floor-${floor}-${room}`,
      severity: 'error',
      from: { path: `^engine/${room}/` },
      to: { path: `^engine/(${notBelow.join('|')})/` },
    });
  }
});

module.exports = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
