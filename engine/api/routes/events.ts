import { openEventStream } from '../event-stream';
import { detailOf, reviewView, settledRecord } from '../inspection-view';
import { route } from '../route';

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/events',
    operation: 'streamEvents',
    summary: 'Server-sent events: inspection, review, job, deployment, routing, lamp, fault; the data is JSON',
    tag: 'station',
    success: {
      status: 200,
      mediaTypes: ['text/event-stream'],
      description:
        'The tower lights as they are, then events from now on; inspection carries an Inspection, review a ReviewItem, job a Job, deployment a Deployment, routing RoutingSettings',
    },
    handle: async ({ context, station, link, request, response }) => {
      if (request.method === 'HEAD') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end();
        return { kind: 'stream' };
      }
      const stream = openEventStream(request, response, () => context.stations().includes(station));
      const { events } = station;
      for (const lamp of station.lamps()) stream.send('lamp', lamp);
      const removers = [
        events.on('inspection-settled', (inspection) =>
          stream.send('inspection', detailOf(settledRecord(inspection), link)),
        ),
        events.on('review-changed', (item) => stream.send('review', reviewView(item, link))),
        events.on('job', (job) => stream.send('job', job)),
        events.on('deployment', (record) => stream.send('deployment', record)),
        events.on('routing-changed', (settings) => stream.send('routing', settings)),
        events.on('lamp', (lamp) => stream.send('lamp', lamp)),
        events.on('fault', (fault) => stream.send('fault', fault)),
      ];
      stream.onClose(() => {
        for (const remove of removers) remove();
      });
      return { kind: 'stream' };
    },
  }),
];
