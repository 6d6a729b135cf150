import { z } from 'zod';
import { type Inspection, worstAnomaly } from '../../domain';
import { readPictureHeader } from '../../imaging';
import { pictureLinks } from '../inspection-view';
import { RequestRefused } from '../problem';
import { json, route } from '../route';
import { id, name, serial, type UploadAnswer, uploadAnswer } from '../schemas';

const partFields = {
  partType: name.optional().meta({ description: "The flow's own part type unless told" }),
  serial: serial.optional(),
  source: z.enum(['api', 'browser']).optional(),
};

export const uploadRoutes = [
  route({
    method: 'POST',
    path: '/upload/',
    operation: 'uploadPicture',
    summary: 'Inspect a picture: it runs through the flow whose camera-capture node accepts uploads',
    tag: 'inspections',
    query: z.object(partFields),
    body: { kind: 'picture', form: z.strictObject(partFields) },
    success: {
      status: 200,
      schema: uploadAnswer,
      description: 'The verdict, recorded. A part that could not be inspected gets the fail-safe verdict with reasons',
    },
    problems: [422, 503],
    handle: async ({ station, query, body, link }) => {
      readPictureHeader(body.picture);
      const { partType, serial, source } = { ...query, ...body.fields };
      const inspection = await station.intake.submit(body.picture, {
        partType,
        serial,
        source: source === 'browser' ? 'browser' : 'api',
      });
      return json(answerOf(inspection, link));
    },
  }),
  route({
    method: 'POST',
    path: '/browser-cameras/{requestId}',
    operation: 'answerCaptureRequest',
    summary: 'Give the picture a station has asked a browser for',
    tag: 'inspections',
    params: z.object({ requestId: id }),
    body: { kind: 'picture' },
    success: { status: 200, schema: z.object({ accepted: z.literal(true) }), description: 'The picture was taken' },
    problems: [422],
    handle: async ({ station, params, body }) => {
      readPictureHeader(body.picture);
      if (station.browserCameras.resolve(params.requestId, body.picture)) return json({ accepted: true });
      throw new RequestRefused(
        404,
        'request-over',
        'request over',
        'Nobody waits for this picture: the request was answered, timed out, or never made.',
      );
    },
  }),
];

function answerOf(inspection: Inspection, link: (path: string) => string): UploadAnswer {
  const { decision } = inspection;
  if (!decision) throw new Error(`inspection ${inspection.id} came back without a decision`);
  const { picture, map } = pictureLinks(inspection.id, inspection.image !== undefined, inspection.findings, link);
  const anomaly = worstAnomaly(inspection.findings);
  const scored = decision.by !== 'failsafe';
  return {
    id: inspection.id,
    status: decision.verdict === 'REVIEW' ? 'pending_review' : 'auto_validated',
    verdict: decision.verdict,
    confidence: decision.confidence,
    threshold_used: scored ? (decision.thresholds?.reject ?? null) : null,
    reasons: [...decision.reasons],
    score: anomaly?.score ?? null,
    partType: inspection.partType,
    serial: inspection.serial ?? null,
    picture,
    map,
  };
}
