/** The forms of one backbone: how close each stays to float32, and that one adapter reads them all. The tolerances are those of the forms' precision. */

import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { type BackboneSource, compileBackbone, type Package } from '../../sdk/compile/backbone.ts';
import { placeOf } from '../../sdk/compile/form-runs.ts';
import { type Form, type Forms, smallForms } from '../../sdk/compile/variants.ts';
import { calibrate, noiseSamples } from '../../sdk/compile/variants-calibration.ts';
import {
  largestError,
  type PackageReport,
  reportForms,
  smallestCosine,
  speedText,
} from '../../sdk/compile/variants-report.ts';
import type { AdapterManifest, BackboneManifest } from '../../sdk/contract/manifest.ts';
import type { AdapterOutputs } from '../../sdk/contract/model.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { evaluate } from '../helpers/evaluate.ts';

const source: BackboneSource = {
  id: 'nano',
  version: '0.1.0',
  license: 'MIT',
  presets: ['swin-v2-nano', 'hts-at-nano'],
  weights: { seed: 1 },
};

/** Smallest cosine of any tap with its float32 form that a form may have. */
const bounds: Record<Exclude<Form, 'float16' | 'float32' | 'block4'>, number> = {
  stored8: 0.999,
  block8: 0.999,
  int8: 0.995,
};

let exact: Package<BackboneManifest>;
let adapter: Package<AdapterManifest>;
beforeAll(async () => {
  exact = await compileBackbone(source, evaluate);
  const config = { ...defaultAdapter, task: 'segment' as const, classes: [] };
  const masks = { id: 'masks', version: '0.1.0', license: 'MIT', config, weights: { seed: 1 }, forms: smallForms };
  adapter = await compileAdapter(masks, exact.manifest, evaluate);
}, 60_000);

const compiled = (forms: Forms, more: Partial<BackboneSource> = {}): Promise<Package<BackboneManifest>> =>
  compileBackbone({ ...source, forms, ...more }, evaluate);

const formOf = (report: PackageReport, part: string, form: Form) => report[part]![`${part}.${form}.onnx`]!;

test('float32 against itself differs by nothing', async () => {
  expect(largestError(await reportForms(ort, exact, exact))).toBe(0);
});

test('with a place, every form has its time and its ratio to float32', async () => {
  const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });
  const small = await compiled({ webgpu: 'block8', wasm: 'int8', 'webgpu-f16': 'float16' });
  const report = await reportForms(ort, small, exact, placeOf(runtime, 'a machine'));
  const place = { machine: 'a machine', device: 'cpu', runtime: runtime.name, threads: 2 };
  for (const part of ['visual', 'audio']) {
    for (const form of ['block8', 'int8'] as const) {
      const { speed } = formOf(report, part, form);
      expect(speed).toMatchObject({ place, rounds: expect.any(Number) });
      for (const x of [speed!.ms, speed!.float32Ms, speed!.ratio]) {
        expect(Number.isFinite(x)).toBe(true);
        expect(x).toBeGreaterThan(0);
      }
      expect(speed!.ratio).toBe(speed!.ms! / speed!.float32Ms!);
      expect(speedText(report)).toContain(
        `${part}.${form} ${speed!.ms!.toFixed(speed!.ms! < 100 ? 1 : 0)} ms (${speed!.ratio!.toFixed(2)} of float32)`,
      );
    }
    expect(formOf(report, part, 'float16').speed).toEqual({
      place,
      ms: null,
      float32Ms: null,
      ratio: null,
      rounds: 0,
      why: expect.stringContaining('float16'),
    });
  }
});

test('without a place no times are taken', async () => {
  const report = await reportForms(ort, exact, exact);
  expect(report.visual!['visual.onnx']).not.toHaveProperty('speed');
  expect(speedText(report)).toBe('');
});

describe.each([
  { webgpu: 'block8', wasm: 'int8' },
  { webgpu: 'stored8', wasm: 'stored8' },
] as const)('$webgpu on WebGPU and $wasm on WASM', (forms) => {
  let small: Package<BackboneManifest>;
  beforeAll(async () => {
    small = await compiled(forms);
  });

  test('every tap points where that of float32 does', async () => {
    const report = await reportForms(ort, small, exact);
    for (const part of ['visual', 'audio']) {
      for (const form of new Set([forms.webgpu, forms.wasm])) {
        expect(smallestCosine(formOf(report, part, form)), `${part} ${form}`).toBeGreaterThan(bounds[form]);
        expect(Object.keys(formOf(report, part, form).outputs)).toHaveLength(
          small.manifest.taps[part as 'visual'].length,
        );
      }
    }
  });

  test('the manifest says each precision, and the files are less than four tenths of float32', () => {
    for (const variant of ['webgpu', 'wasm'] as const) {
      for (const part of ['visual', 'audio'] as const) {
        const files = small.manifest.variants[variant][part]!;
        expect(files.precision).toBe(forms[variant] === 'int8' ? 'int8' : 'weights-int8');
        const bytes = small.files[files.weights]!.byteLength;
        expect(bytes).toBeLessThan(0.4 * exact.files[exact.manifest.variants[variant][part]!.weights]!.byteLength);
      }
    }
  });

  test('taps and inputs are those of float32, so adapters fit', () => {
    const { inputs, taps } = small.manifest;
    expect({ inputs, taps }).toEqual({ inputs: exact.manifest.inputs, taps: exact.manifest.taps });
  });
});

test('4 bits with calibration keep every tap above 0.99, and are closer than without', async () => {
  const forms: Forms = { webgpu: 'block4', wasm: 'block4' };
  const only = { presets: ['hts-at-nano'] } as const;
  const reference = await compileBackbone({ ...source, ...only }, evaluate);
  const plain = await reportForms(ort, await compiled(forms, only), reference);
  const samples = (outputs: Parameters<typeof noiseSamples>[0]) => noiseSamples(outputs, 16, 7);
  const learned = await compiled(forms, {
    ...only,
    calibrate: (outputs, form) => calibrate(ort, outputs, form as 'block4', samples(outputs), 2048),
  });
  const cosine = smallestCosine(formOf(await reportForms(ort, learned, reference), 'audio', 'block4'));
  expect(cosine).toBeGreaterThan(0.99);
  expect(cosine).toBeGreaterThan(smallestCosine(formOf(plain, 'audio', 'block4')));
});

/** What an adapter says about one second, over this backbone. */
async function said(backbone: Package<BackboneManifest>, device: 'cpu' | 'wasm'): Promise<AdapterOutputs> {
  const engine = new LocalEngine(runtimes);
  try {
    await engine.load({ backbone, adapters: [adapter], device });
    const run = await engine.begin(['masks']);
    const frame = { width: 64, height: 64, data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * i) % 251) };
    const pcm = Float32Array.from({ length: 32000 }, (_, i) => 0.4 * Math.sin(i / 9));
    return (await engine.push(run, { frame, pcm })).masks!;
  } finally {
    await engine.dispose();
  }
}

test('one adapter reads every form: masks within 0.1 of float32, and 8-bit weights the same on CPU and WASM within 1e-3', async () => {
  const errorOf = (actual: AdapterOutputs, expected: AdapterOutputs): number => {
    const largest = expected.mask!.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const worst = expected.mask!.data.reduce((most, x, i) => Math.max(most, Math.abs(x - actual.mask!.data[i]!)), 0);
    return worst / largest;
  };
  const reference = await said(exact, 'cpu');
  const stored = await compiled({ webgpu: 'block8', wasm: 'stored8' });
  const onCpu = await said(stored, 'cpu');
  expect(errorOf(onCpu, reference)).toBeLessThan(0.1);
  expect(errorOf(await said(stored, 'wasm'), onCpu)).toBeLessThan(1e-3);
  expect(errorOf(await said(await compiled({ webgpu: 'block8', wasm: 'int8' }), 'cpu'), reference)).toBeLessThan(0.1);
});
