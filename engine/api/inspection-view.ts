import { type Finding, type Inspection, type InspectionRecord, type ReviewItem, worstAnomaly } from '../domain';
import type { InspectionDetail, InspectionSummary } from './schemas';

type Link = (path: string) => string;

export const THUMBNAIL_WIDTH = 320;

/** An inspection that has just got its verdict, as its record will read. */
export function settledRecord(inspection: Inspection): InspectionRecord {
  return {
    ...inspection,
    state: 'settled',
    settledAt: inspection.decision?.at ?? null,
    picturePath: inspection.image ? '' : null,
  };
}

export function summaryOf(record: InspectionRecord, link: Link): InspectionSummary {
  const anomaly = worstAnomaly(record.findings);
  const { decision, image } = record;
  return {
    id: record.id,
    partType: record.partType,
    serial: record.serial ?? null,
    state: record.state,
    capturedAt: record.capturedAt,
    settledAt: record.settledAt,
    verdict: decision?.verdict ?? null,
    confidence: decision?.confidence ?? null,
    by: decision?.by ?? null,
    reasons: [...(decision?.reasons ?? [])],
    audit: decision?.audit ?? false,
    score: anomaly?.score ?? null,
    normalizedScore: anomaly?.normalizedScore ?? null,
    thresholds: decision?.thresholds ?? anomaly?.thresholds ?? null,
    width: image?.width ?? null,
    height: image?.height ?? null,
    ...pictureLinks(record.id, record.picturePath !== null, record.findings, link),
  };
}

export function detailOf(record: InspectionRecord, link: Link): InspectionDetail {
  const { station, trigger, deadlineAt, image, quality, decision } = record;
  return {
    ...summaryOf(record, link),
    station,
    trigger,
    deadlineAt,
    image,
    quality,
    findings: record.findings as InspectionDetail['findings'],
    decision: decision && { ...decision, reasons: [...decision.reasons] },
  };
}

export function reviewView(
  item: ReviewItem,
  hasPicture: boolean,
  link: Link,
): Omit<ReviewItem, 'node'> & ReturnType<typeof pictureLinks> {
  const { node: _node, ...shown } = item;
  return { ...shown, ...pictureLinks(item.id, hasPicture, item.findings, link) };
}

/** Where the pictures of an inspection are served; of several heat maps the one that tells most against the part. */
export function pictureLinks(id: string, hasPicture: boolean, findings: readonly Finding[], link: Link) {
  const map = worstAnomaly(findings)?.map;
  const query = map?.url.split('?')[1];
  return {
    picture: hasPicture ? link(`/inspections/${id}/picture`) : null,
    thumbnail: hasPicture ? link(`/inspections/${id}/picture?width=${THUMBNAIL_WIDTH}`) : null,
    map: hasPicture && map ? link(`/inspections/${id}/map${query ? `?${query}` : ''}`) : null,
  };
}
