import { loadRuntime, sessionOptions } from '../../inference';
import { changed, type OnnxGraph, type OnnxModel, withOutputs, writeModel } from '../../onnx';
import type { Tensor } from '../trainer';

/** The frozen beginning of a network: computes the values at which the trained part begins. */
export interface Trunk {
  /** @param picture [batch, 3, side, side] */
  run(picture: Tensor): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}

/**
 * @param input  name of the picture's value
 * @param values to compute
 */
export async function openTrunk(
  model: OnnxModel,
  input: string,
  values: readonly string[],
  threads: number,
): Promise<Trunk> {
  const runtime = loadRuntime();
  const graph = withOutputs(model.graph as OnnxGraph, Object.fromEntries(values.map((name) => [name, name])));
  const session = await runtime.InferenceSession.create(writeModel(changed(model, { graph })), sessionOptions(threads));
  return {
    run: async ({ data, dims }) => {
      const results = await session.run({ [input]: new runtime.Tensor('float32', data, dims) }, [...values]);
      return Object.fromEntries(
        values.map((name) => [name, { data: results[name].data as Float32Array, dims: results[name].dims }]),
      );
    },
    close: () => session.release(),
  };
}
