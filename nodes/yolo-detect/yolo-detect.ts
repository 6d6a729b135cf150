import { basename } from 'node:path';
import type { NodeAPI } from 'node-red';
import type { DetectionsFinding } from '../../engine/domain';
import { analysisBehaviour, defineNode, stationOf, userFolderOf } from '../shared';
import { readDetectorWishes, schema, type YoloDetectConfig } from './config';

export = (RED: NodeAPI): void => {
  defineNode<YoloDetectConfig>(RED, 'yolo-detect', schema, (node, config) => {
    const wishes = readDetectorWishes(config, userFolderOf(RED));
    const link = stationOf(RED, node, config.station);
    const { translation } = node;
    const behaviour = analysisBehaviour<DetectionsFinding>(RED, node, link, {
      kind: 'detector',
      partType: config.partType,
      fixedModel: wishes.model === undefined ? null : basename(wishes.model),
      fallbackModel: translation.shared('status.starter-detector', 'starter detector'),
      partTypeOf: ({ partType }) => wishes.partType ?? partType,
      judge: (station, picture, inspection) => station.detect(picture, inspection, node.id, wishes),
      summary: ({ detections }) =>
        translation.shared('status.detections', 'defects: __count__', { count: detections.length }),
    });
    link.whenOpen((station) => station.keepDetector(wishes.model, (error) => node.fail(error)));
    return behaviour;
  });
};
