import type { NodeAPI } from 'node-red';
import type { AnomalyFinding } from '../../engine/domain';
import { analysisBehaviour, defineNode, stationOf, userFolderOf } from '../shared';
import { type PatchcoreInferConfig, schema } from './config';
import { goldenPicture } from './golden-picture';

export = (RED: NodeAPI): void => {
  defineNode<PatchcoreInferConfig>(RED, 'patchcore-infer', schema, (node, config) =>
    analysisBehaviour<AnomalyFinding>(RED, node, stationOf(RED, node, config.station), {
      kind: 'patchcore',
      partType: config.partType,
      fixedModel: null,
      fallbackModel: null,
      partTypeOf: ({ partType }) => partType,
      async judge(station, picture, inspection, { reference }) {
        const golden = await goldenPicture(reference, config.references, inspection.serial, userFolderOf(RED));
        return station.scoreAnomaly(picture, inspection, node.id, golden);
      },
      summary: ({ score }) => score.toFixed(2),
    }),
  );
};
