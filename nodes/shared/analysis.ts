import type { NodeAPI } from 'node-red';
import {
  type FailureFinding,
  type Finding,
  type Inspection,
  InvalidInput,
  type ModelKind,
  reasonOf,
} from '../../engine/domain';
import type { Station } from '../../engine/station';
import type { Behaviour, InspectionNode, Output, Send } from './define-node';
import { type InspectionMessage, inspectionOf, pictureOf, withFinding } from './messages';
import type { StationLink } from './station-access';
import { readTrainOrder } from './train-order';
import { Trainings } from './trainings';

/** What tells one analysis node from the others: they all judge pictures with a model, and have it trained. */
export interface Analysis<Judgement extends Finding> {
  readonly kind: ModelKind;
  /** For "train" messages that name none, and for the status while no picture has come; may be empty. */
  readonly partType: string;
  /** Name of the model that judges whatever is deployed; null: the deployed one judges. */
  readonly fixedModel: string | null;
  /** Name of the model that judges where none is deployed; null: a picture cannot be judged then. */
  readonly fallbackModel: string | null;
  /** The part type whose model judges a part. */
  partTypeOf(inspection: Inspection): string;
  /** Judges a picture; what it throws becomes a failure finding. */
  judge(station: Station, picture: Buffer, inspection: Inspection, message: InspectionMessage): Promise<Judgement>;
  /** The judgement in a few words, for the status. */
  summary(finding: Judgement): string;
}

/**
 * The behaviour of an analysis node. A picture leaves by output 1 with one more finding, of kind `failure` when it could
 * not be judged; trainings and the model in production are told by output 2.
 */
export function analysisBehaviour<Judgement extends Finding>(
  RED: NodeAPI,
  node: InspectionNode,
  link: StationLink,
  analysis: Analysis<Judgement>,
): Behaviour {
  const { kind, fixedModel, fallbackModel } = analysis;
  const trainings = new Trainings(node, kind, analysis.partType);
  const actor = node.name || node.red.type;
  const userFolder = userFolderOf(RED);
  let lastPartType = analysis.partType;
  let toldModel = '';

  async function judge(message: InspectionMessage, send: Send): Promise<Output> {
    const inspection = inspectionOf(message);
    lastPartType = analysis.partTypeOf(inspection);
    const started = performance.now();
    try {
      const station = await link.open();
      const finding = await analysis.judge(station, pictureOf(message), inspection, message);
      if (!trainings.running) {
        node.state.ready(`${analysis.summary(finding)} · ${Math.round(finding.milliseconds.total)} ms`);
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
    const { request, unlessDeployed } = readTrainOrder(payload, { kind, partType: analysis.partType, userFolder });
    const station = await link.open();
    if (unlessDeployed && (await hasModel(station, request.partType, kind))) {
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
    const { state, translation } = node;
    if (fixedModel !== null) {
      state.ready(fixedModel);
      return;
    }
    if (partType === '') {
      state.idle(translation.shared('status.waiting-for-pictures', 'waiting for pictures'));
      return;
    }
    const model = await station.models.deployed(partType, kind);
    if (model) {
      const { name, version } = model;
      tellModel({ partType, name, version });
      state.ready(translation.shared('status.model', '__name__ version __version__', { name, version }));
    } else if (fallbackModel !== null) {
      state.ready(fallbackModel);
    } else {
      state.degraded(
        translation.shared('status.no-model', 'no model for __partType__ – train one on the Train page', { partType }),
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
    const stopDeployments = station.events.on('deployment', (deployment) => {
      if (deployment.kind !== kind) return;
      if (deployment.partType === lastPartType || lastPartType === '') {
        lastPartType = deployment.partType;
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
}

/** Where relative paths in settings and messages start. */
export function userFolderOf(RED: NodeAPI): string {
  return RED.settings.userDir ?? process.cwd();
}

/** True when the part type has a model, or gets one from a job under way. */
async function hasModel(station: Station, partType: string, kind: ModelKind): Promise<boolean> {
  if (await station.models.deployed(partType, kind)) return true;
  const jobs = await station.jobs.list();
  return jobs.some(
    ({ request, state }) =>
      request.partType === partType &&
      (request.kind ?? 'patchcore') === kind &&
      (state === 'queued' || state === 'running'),
  );
}
