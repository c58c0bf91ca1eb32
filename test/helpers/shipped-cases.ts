/** The shipped models on two devices of one machine: every output must be the same. */

import { expect } from 'vitest';
import { runtimes } from '#runtimes';
import type { DeviceRequest } from '../../sdk/contract/device.ts';
import type { AdapterOutputs } from '../../sdk/contract/model.ts';
import { wholeBackbone } from '../../sdk/contract/pair.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import type { EngineSegment } from '../../sdk/engine/types.ts';
import { variantOf } from '../../sdk/engine/variant.ts';
import { listShipped, loadModel } from '../../sdk/hub/hub.ts';
import { gaussian, seededRandom } from '../../sdk/random.ts';

/** Seconds of seeded noise and tones; the last has no picture. */
function seconds(count: number, width: number, height: number, sampleRate: number): EngineSegment[] {
  const random = seededRandom('seconds');
  return Array.from({ length: count }, (_, i) => {
    const data = Uint8Array.from(
      { length: width * height * 3 },
      (_, k) => 255 * (0.5 + 0.4 * Math.sin(k / (50 + 9 * i)) * random()),
    );
    const pcm = Float32Array.from(
      { length: sampleRate },
      (_, k) => 0.3 * Math.sin(k / (5 + i)) + 0.01 * gaussian(random),
    );
    return { frame: i === count - 1 ? null : { width, height, data }, pcm };
  });
}

export async function shippedBackbones(): Promise<string[]> {
  return (await listShipped()).filter(({ kind }) => kind === 'backbone').map(({ id }) => id);
}

/** All outputs of all shipped adapters of a backbone over `count` seconds on `device`, by `adapter.output`. */
export async function shippedOutputs(
  id: string,
  device: Exclude<DeviceRequest, 'auto'>,
  count: number,
  runtimePath?: string,
): Promise<Map<string, Float32Array>> {
  const variant = variantOf(device);
  const shipped = await listShipped();
  const backbone = await loadModel(id, 'backbone', variant);
  const ids = shipped.filter(({ kind }) => kind === 'adapter').map(({ id }) => id);
  const all = await Promise.all(ids.map((id) => loadModel(id, 'adapter', variant)));
  const adapters = all.filter(({ manifest }) => manifest.base.id === backbone.manifest.id);
  const engine = new LocalEngine(runtimes);
  const outputs = new Map<string, Float32Array>();
  const collect = (results: Record<string, AdapterOutputs>, suffix: string): void => {
    for (const [id, named] of Object.entries(results)) {
      for (const [name, { data }] of Object.entries(named)) outputs.set(`${id}.${name}${suffix}`, data);
    }
  };
  try {
    await engine.load({ backbone, adapters, device, runtimePath });
    const run = await engine.begin(adapters.map(({ manifest }) => manifest.id));
    const { visual, audio } = wholeBackbone(backbone.manifest).inputs;
    for (const [i, segment] of seconds(count, visual.width, visual.height, audio.sampleRate).entries()) {
      collect(await engine.push(run, segment), ` of second ${i}`);
    }
    collect(await engine.finish(run), '');
  } finally {
    await engine.dispose();
  }
  return outputs;
}

/** Every value within `tolerance` times the output's largest magnitude. */
export function expectSame(got: Map<string, Float32Array>, want: Map<string, Float32Array>, tolerance: number): void {
  expect([...got.keys()]).toEqual([...want.keys()]);
  expect(got.size).toBeGreaterThan(5);
  for (const [name, values] of want) {
    let [largest, worst] = [0, 0];
    values.forEach((x, i) => {
      largest = Math.max(largest, Math.abs(x));
      worst = Math.max(worst, Math.abs(x - got.get(name)![i]!));
    });
    expect(worst, name).toBeLessThanOrEqual(tolerance * largest);
  }
}
