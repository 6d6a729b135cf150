import type { ReviewItem } from '../../domain';
import { openEventStream } from '../event-stream';
import { detailOf, reviewView, settledRecord } from '../inspection-view';
import { route } from '../route';

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/events',
    operation: 'streamEvents',
    summary:
      'Server-sent events: inspection, review, job, retraining, deployment, version, shadow, routing, lamp, fault; the data is JSON',
    tag: 'station',
    success: {
      status: 200,
      mediaTypes: ['text/event-stream'],
      description:
        'The tower lights as they are, then events from now on; inspection carries an Inspection, review a ReviewItem, job a Job, retraining a RetrainStatus, deployment a Deployment, version {name, version, actor, change: removed or restored}, shadow a ShadowRun, routing RoutingSettings',
    },
    handle: async ({ context, station, link, request, response }) => {
      if (request.method === 'HEAD') {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end();
        return { kind: 'stream' };
      }
      const stream = openEventStream(request, response, () => context.stations().includes(station));
      const { events } = station;
      for (const lamp of station.lamps()) stream.send('lamp', lamp);
      let turn: Promise<void> = Promise.resolve();
      /** Sends after what was pushed before, also when the data takes a while to be found. */
      const push = (event: string, data: unknown) => {
        turn = turn.then(async () => stream.send(event, await data)).catch(() => undefined);
      };
      const viewOf = async (item: ReviewItem) => {
        const shown = await station.store.inspections.withPicture([item.id]);
        return reviewView(item, shown.has(item.id), link);
      };
      const removers = [
        events.on('inspection-settled', (inspection) => push('inspection', detailOf(settledRecord(inspection), link))),
        events.on('review-changed', (item) => push('review', viewOf(item))),
        events.on('job', (job) => push('job', job)),
        events.on('retraining', (status) => push('retraining', status)),
        events.on('deployment', (record) => push('deployment', record)),
        events.on('version', (change) => push('version', change)),
        events.on('shadow', (run) => push('shadow', run)),
        events.on('routing-changed', (settings) => push('routing', settings)),
        events.on('lamp', (lamp) => push('lamp', lamp)),
        events.on('fault', (fault) => push('fault', fault)),
      ];
      stream.onClose(() => {
        for (const remove of removers) remove();
      });
      return { kind: 'stream' };
    },
  }),
];
