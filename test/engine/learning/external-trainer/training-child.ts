/** A process that trains with the stand-in program until it is killed. Arguments: a folder, a file for process ids. */
import { join } from 'node:path';
import { trainExternally } from '../../../../engine/learning/external-trainer';
import { colourDetector } from '../../../support/colour-detector';
import { boards, standIn } from './boards';

const [folder, pids] = process.argv.slice(2);

boards(folder).then((dataset) =>
  trainExternally({
    command: standIn('grandchild', ['--pids', pids]),
    base: colourDetector(),
    dataset,
    folder: join(folder, 'external'),
    epochs: 5,
    threads: 1,
  }),
);
