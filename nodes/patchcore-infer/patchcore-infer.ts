import type { NodeAPI } from 'node-red';
import { type FailureFinding, InspectionError, InvalidInput, type Job, reasonOf } from '../../engine/domain';
import type { Station } from '../../engine/station';
import {
  defineNode,
  type InspectionMessage,
  type InspectionNode,
  inspectionOf,
  type Output,
  pictureOf,
  type Send,
  stationOf,
  withFinding,
} from '../shared';
import { type PatchcoreInferConfig, schema } from './config';
import { goldenPicture } from './golden-picture';
import { readTrainOrder } from './training-request';

/** A training job that ended without a model. */
class TrainingFailed extends InspectionError {
  constructor({ request, error }: Job) {
    const detail = error?.message ?? '';
    super({
      code: 'training-failed',
      status: 'training failed',
      message: `The training of ${request.partType} failed. ${detail}`,
      parameters: { partType: request.partType, detail },
    });
  }
}

export = (RED: NodeAPI): void => {
  defineNode<PatchcoreInferConfig>(RED, 'patchcore-infer', schema, (node, config) => {
    const link = stationOf(RED, node, config.station);
    const trainings = new Trainings(node, config.partType);
    const actor = node.name || 'patchcore-infer';
    const userFolder = RED.settings.userDir ?? process.cwd();
    let lastPartType = config.partType;
    let toldModel = '';

    async function judge(message: InspectionMessage, send: Send): Promise<Output> {
      const inspection = inspectionOf(message);
      lastPartType = inspection.partType;
      const started = performance.now();
      try {
        const station = await link.open();
        const reference = await goldenPicture(message.reference, config.references, inspection.serial, userFolder);
        const finding = await station.scoreAnomaly(pictureOf(message), inspection, node.id, reference);
        if (!trainings.running) {
          node.state.ready(`${finding.score.toFixed(2)} · ${Math.round(finding.milliseconds.total)} ms`);
        }
        return [withFinding(message, finding), null];
      } catch (error) {
        const finding: FailureFinding = {
          kind: 'failure',
          node: node.id,
          reason: reasonOf(error),
          message: node.translation.message(error),
          milliseconds: { total: performance.now() - started },
        };
        send([withFinding(message, finding), null]);
        throw error;
      }
    }

    async function train(payload: unknown): Promise<void> {
      const { request, unlessDeployed } = readTrainOrder(payload, config.partType, userFolder);
      const station = await link.open();
      if (unlessDeployed && (await hasModel(station, request.partType))) {
        await showModel(station, request.partType);
        return;
      }
      const { id } = await station.jobs.submit(request, actor);
      trainings.started(await station.jobs.get(id));
    }

    async function cancel(payload: unknown): Promise<void> {
      const wished = typeof payload === 'object' && payload !== null ? (payload as { id?: unknown }).id : undefined;
      const id = typeof wished === 'string' ? wished : trainings.last;
      if (id === null) throw new InvalidInput('This node has started no training. Name the job: {"id": "01..."}.');
      const station = await link.open();
      await station.jobs.cancel(id, actor);
    }

    async function showModel(station: Station, partType: string): Promise<void> {
      if (partType === '') {
        node.state.idle(node.translation.shared('status.waiting-for-pictures', 'waiting for pictures'));
        return;
      }
      const model = await station.models.deployed(partType);
      if (model) {
        const { name, version } = model;
        tellModel({ partType, name, version });
        node.state.ready(node.translation.shared('status.model', '__name__ version __version__', { name, version }));
      } else {
        node.state.degraded(
          node.translation.shared('status.no-model', 'no model for __partType__ – train one on the Train page', {
            partType,
          }),
        );
      }
    }

    /** Tells once which model a part type has in production. */
    function tellModel(model: { partType: string; name: string; version: string }): void {
      const news = JSON.stringify(model);
      if (news === toldModel) return;
      toldModel = news;
      node.send([null, { topic: 'model', payload: model }]);
    }

    link.whenOpen((station) => {
      const show = () => void showModel(station, lastPartType).catch((error) => node.fail(error));
      const stopJobs = station.events.on('job', (job) => {
        if (trainings.follow(job) === 'ended' && job.state !== 'failed') show();
      });
      const stopDeployments = station.events.on('deployment', ({ partType }) => {
        if (partType === lastPartType || lastPartType === '') {
          lastPartType = partType;
          show();
        }
      });
      show();
      return () => {
        stopJobs();
        stopDeployments();
      };
    });

    return {
      async onInput(message, send) {
        if (message.inspection === undefined) {
          if (message.topic === 'train') return void (await train(message.payload));
          if (message.topic === 'cancel') return void (await cancel(message.payload));
        }
        return judge(message, send);
      },
    };
  });
};

/** True when the part type has a model, or gets one from a job under way. */
async function hasModel(station: Station, partType: string): Promise<boolean> {
  if (await station.models.deployed(partType)) return true;
  const jobs = await station.jobs.list();
  return jobs.some(
    ({ request, state }) => request.partType === partType && (state === 'queued' || state === 'running'),
  );
}

/** The trainings this node tells about: those it started, and those of its part type. */
class Trainings {
  /** Id of the job begun last; null before the first. */
  last: string | null = null;
  private readonly followed = new Set<string>();
  private readonly told = new Map<string, string>();

  constructor(
    private readonly node: InspectionNode,
    private readonly partType: string,
  ) {}

  get running(): boolean {
    return this.told.size > 0;
  }

  started(job: Job): void {
    this.last = job.id;
    this.followed.add(job.id);
    this.follow(job);
  }

  /** Sends the job on and shows it. */
  follow(job: Job): 'not-mine' | 'under-way' | 'ended' {
    const { node, partType } = this;
    if (!this.followed.has(job.id) && (partType === '' || job.request.partType !== partType)) return 'not-mine';
    const news = JSON.stringify([job.state, job.progress]);
    if (this.told.get(job.id) !== news) {
      this.told.set(job.id, news);
      node.send([null, { topic: 'training', payload: job }]);
    }
    if (job.state === 'queued') {
      node.state.working(node.translation.shared('status.training-queued', 'training waits'));
      return 'under-way';
    }
    if (job.state === 'running') {
      const percent = Math.round(job.progress?.percent ?? 0);
      node.state.working(node.translation.shared('status.training', 'training __percent__ %', { percent }));
      return 'under-way';
    }
    this.followed.delete(job.id);
    this.told.delete(job.id);
    if (job.state === 'failed') node.fail(new TrainingFailed(job));
    return 'ended';
  }
}
