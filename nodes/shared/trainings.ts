import { InspectionError, type Job, type ModelKind } from '../../engine/domain';
import type { InspectionNode } from './define-node';

/** A training job that ended without a model. */
export class TrainingFailed extends InspectionError {
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

/** The trainings of one kind of model that a node tells about: those it started, and those of its part type. */
export class Trainings {
  /** Id of the job begun last; null before the first. */
  last: string | null = null;
  private readonly followed = new Set<string>();
  private readonly told = new Map<string, string>();

  constructor(
    private readonly node: InspectionNode,
    private readonly kind: ModelKind,
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
    if (!this.isMine(job)) return 'not-mine';
    const { node } = this;
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

  private isMine({ id, request }: Job): boolean {
    if (this.followed.has(id)) return true;
    return (request.kind ?? 'patchcore') === this.kind && this.partType !== '' && request.partType === this.partType;
  }
}
