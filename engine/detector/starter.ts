import { join } from 'node:path';
import { packageRoot } from '../domain';

/** The detector that comes with the package: it knows the defects of simulated parts, and others are trained from it. */
export const STARTER_DETECTOR = join(packageRoot, 'models', 'starter-detector', 'model.onnx');
