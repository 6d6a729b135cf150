import type { NodeAPI } from 'node-red';
import type { ClassFinding } from '../../engine/domain';
import { analysisBehaviour, defineNode, stationOf } from '../shared';
import { type ImageClassifyConfig, readClassifierWishes, schema } from './config';

export = (RED: NodeAPI): void => {
  defineNode<ImageClassifyConfig>(RED, 'image-classify', schema, (node, config) => {
    const wishes = readClassifierWishes(config);
    return analysisBehaviour<ClassFinding>(RED, node, stationOf(RED, node, config.station), {
      kind: 'classifier',
      partType: config.partType,
      fixedModel: null,
      fallbackModel: null,
      partTypeOf: ({ partType }) => wishes.partType ?? partType,
      judge: (station, picture, inspection) => station.classify(picture, inspection, node.id, wishes),
      summary: ({ label, confidence }) => `${label} ${confidence.toFixed(2)}`,
    });
  });
};
