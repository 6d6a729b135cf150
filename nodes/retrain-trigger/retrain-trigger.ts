import type { NodeAPI } from 'node-red';
import { InspectionError, type Job, type RetrainingRun, type RetrainSettings } from '../../engine/domain';
import { NotNow } from '../../engine/learning';
import type { Station } from '../../engine/station';
import { defineNode, type InspectionMessage, stationOf } from '../shared';
import { type RetrainTriggerConfig, readRetrainSettings, schema } from './config';
import { showStatus } from './show-status';

/** A drift alarm came to a node that does not retrain for it. */
class DriftNotHeeded extends InspectionError {
  constructor({ partType }: RetrainSettings) {
    super({
      code: 'drift-not-heeded',
      status: 'drift alarm not heeded',
      message: `A drift alarm came for ${partType}, and this node does not retrain for it. Tick "Drift alarm" in the node, or do not send it alarms.`,
      parameters: { partType },
    });
  }
}

export = (RED: NodeAPI): void => {
  defineNode<RetrainTriggerConfig>(RED, 'retrain-trigger', schema, (node, config) => {
    const settings = readRetrainSettings(config);
    const { partType, kind } = settings;
    const link = stationOf(RED, node, config.station);
    const actor = node.name || 'retrain-trigger';
    const isMine = (model: { readonly partType: string; readonly kind?: string }) =>
      model.partType === partType && (model.kind ?? 'patchcore') === kind;

    link.whenOpen((station) => {
      let told = '';
      const undos = [
        station.retraining.register({ settings, node: node.id, actor }),
        station.retraining.events.on('status', (status) => {
          if (!isMine(status)) return;
          showStatus(node, status, settings.timeZone);
          node.send([{ topic: 'status', payload: status }, null, null, null]);
        }),
        station.retraining.events.on('run', (run) => {
          if (isMine(run)) node.send(runOutput(run));
        }),
        station.events.on('job', (job) => {
          const news = JSON.stringify([job.id, job.state, job.progress]);
          if (job.trigger === undefined || !isMine(job.request) || news === told) return;
          told = news;
          showTraining(job);
          node.send([{ topic: 'progress', payload: job }, null, null, null]);
        }),
      ];
      return () => {
        for (const undo of undos) undo();
      };
    });

    function showTraining({ state, progress }: Job): void {
      const { state: shown, translation } = node;
      if (state === 'queued') shown.working(translation.shared('status.training-queued', 'training waits'));
      if (state !== 'running') return;
      const percent = Math.round(progress?.percent ?? 0);
      shown.working(translation.shared('status.training', 'training __percent__ %', { percent }));
    }

    /** Asking at the wrong time is no fault: why it is the wrong time leaves the node. */
    async function train(station: Station, force: boolean): Promise<InspectionMessage | null> {
      try {
        await station.retraining.trigger({ partType, kind, actor, force });
        return null;
      } catch (error) {
        if (!(error instanceof NotNow)) throw error;
        return { topic: 'not-now', payload: { partType, kind, message: node.translation.message(error) } };
      }
    }

    async function cancel(station: Station): Promise<void> {
      const status = (await station.retraining.status(partType)).find(isMine);
      if (status?.runningJob) await station.jobs.cancel(status.runningJob, actor);
    }

    return {
      async onInput({ topic, payload }) {
        const station = await link.open();
        if (topic === 'drift') {
          if (!(await station.retraining.alarm({ partType, kind }, actor))) throw new DriftNotHeeded(settings);
          return null;
        }
        if (topic === 'cancel') {
          await cancel(station);
          return null;
        }
        const notNow = await train(station, (payload as { force?: unknown } | null)?.force === true);
        return notNow && [null, null, null, notNow];
      },
    };
  });
};

/** What leaves when something became of a run, by the output for it. */
function runOutput(run: RetrainingRun): (InspectionMessage | null)[] {
  const message = { topic: run.outcome, payload: run };
  switch (run.outcome) {
    case 'running':
      return [message, null, null, null];
    case 'candidate':
      return [null, message, null, null];
    case 'deployed':
      return [null, null, message, null];
    case 'declined':
      // a night without anything new is nothing to worry about
      return run.reasons.some(({ code }) => code === 'nothing-new')
        ? [message, null, null, null]
        : [null, null, null, message];
    default:
      return [null, null, null, message];
  }
}
