/** Whether the page's GPU has half precision: asked of its adapter. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runtimes } from '#runtimes';

afterEach(() => vi.restoreAllMocks());

const adapterWith = (...features: string[]): GPUAdapter => ({ features: new Set(features) }) as unknown as GPUAdapter;

describe('half precision', () => {
  it.each([
    ['with shader-f16', adapterWith('subgroups', 'shader-f16'), true],
    ['without', adapterWith('subgroups'), false],
    ['that is none', null, false],
  ])('of an adapter %s', async (_, adapter, expected) => {
    vi.spyOn(navigator.gpu, 'requestAdapter').mockResolvedValue(adapter);
    expect(await runtimes.hasHalf('webgpu')).toBe(expected);
  });

  it('is none of WASM', async () => {
    const asked = vi.spyOn(navigator.gpu, 'requestAdapter').mockResolvedValue(adapterWith('shader-f16'));
    expect(await runtimes.hasHalf('wasm')).toBe(false);
    expect(asked).not.toHaveBeenCalled();
  });

  it('is said by the runtime as by the adapter that it took', async () => {
    const runtime = await runtimes.loadRuntime({ device: 'webgpu' });
    const adapter = await navigator.gpu.requestAdapter();
    expect(runtime.half).toBe(adapter!.features.has('shader-f16'));
    expect(runtime.half).toBe(await runtimes.hasHalf('webgpu'));
    runtime.dispose();
  });
});
