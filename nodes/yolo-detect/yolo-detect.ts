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
    let warned = '';

    /** Tells once for each model which classes of the settings it does not know. */
    function warnOfUnknown({ model, thresholds }: DetectionsFinding): void {
      const unknown = Object.keys(wishes.perClass ?? {}).filter((label) => !Object.hasOwn(thresholds.perClass, label));
      const news = JSON.stringify([model, unknown]);
      if (unknown.length === 0 || news === warned) return;
      warned = news;
      const text = 'The detector __model__ does not know __classes__: what is set for them has no effect.';
      const parameters = { model: `${model?.name} ${model?.version}`, classes: unknown.join(', ') };
      node.warn(translation.shared('warnings.unknown-classes', text, parameters));
    }

    const behaviour = analysisBehaviour<DetectionsFinding>(RED, node, link, {
      kind: 'detector',
      partType: config.partType,
      fixedModel: wishes.model === undefined ? null : basename(wishes.model),
      fallbackModel: translation.shared('status.starter-detector', 'starter detector'),
      partTypeOf: ({ partType }) => wishes.partType ?? partType,
      async judge(station, picture, inspection) {
        const finding = await station.detect(picture, inspection, node.id, wishes);
        warnOfUnknown(finding);
        return finding;
      },
      summary: ({ detections }) =>
        translation.shared('status.detections', 'defects: __count__', { count: detections.length }),
    });
    link.whenOpen((station) => station.keepDetector(wishes.model, (error) => node.fail(error)));
    return behaviour;
  });
};
