/** Loading by name where the GPU has half precision: which files are fetched, and what is said where it fails. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileAdapter } from '../../sdk/compile/adapter.ts';
import { compileBackbone } from '../../sdk/compile/backbone.ts';
import type { Files } from '../../sdk/compile/graph-files.ts';
import { exactForms, type Forms } from '../../sdk/compile/variants.ts';
import type { Engine, EngineLoad } from '../../sdk/engine/types.ts';
import { MettleError } from '../../sdk/errors.ts';
import { loadEngine } from '../../sdk/load.ts';
import { defaultAdapter } from '../../sdk/models/adapter.ts';
import { evaluate } from '../helpers/evaluate.ts';

const half: Forms = { ...exactForms, 'webgpu-f16': 'float16' };
let root: string;
let backbone: string;
let adapter: string;

async function written(name: string, files: Files): Promise<string> {
  const folder = await mkdtemp(join(root, `${name}-`));
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(folder, path), bytes);
  return folder;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-half-'));
  const common = { version: '0.1.0', license: 'MIT', weights: { seed: 1 } };
  const whole = await compileBackbone(
    { id: 'nano', ...common, presets: ['swin-v2-nano', 'hts-at-nano'], forms: half },
    evaluate,
  );
  const config = { ...defaultAdapter, task: 'segment' as const, classes: [] };
  const made = await compileAdapter({ id: 'exact', ...common, config }, whole.manifest, evaluate);
  backbone = await written('backbone', whole.files);
  adapter = await written('adapter', made.files);
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** Loads on a GPU of this kind with an engine that notes what it is given, and fails on the GPU if it is told to. */
async function load(hasHalf: boolean | undefined, fails = false) {
  const given: { device: string; files: string[] }[] = [];
  const engine = {
    chooseDevice: async () => ({ device: 'webgpu', half: hasHalf }),
    async load(request: EngineLoad) {
      const files = [request.backbone, ...request.adapters].flatMap((model) => Object.keys(model.files)).sort();
      given.push({ device: request.device, files });
      if (fails && request.device !== 'wasm') throw new MettleError('device', 'The GPU gives wrong numbers.');
      return { variant: 'wasm', why: ['The last word.'], warnings: [] };
    },
    async dispose() {},
  } as unknown as Engine;
  const { info } = await loadEngine({ createEngine: async () => engine }, { backbone, adapters: [adapter] });
  return { given, info };
}

const canaries = ['canary.safetensors', 'canary.safetensors'];
const ofAdapter = ['adapter_model.safetensors', 'segment.onnx'];
const exact = ['audio.onnx', 'audio.safetensors', 'visual.onnx', 'visual.safetensors'];
const halved = exact.map((path) => path.replace('.', '.float16.'));

test.each([
  [true, halved],
  [false, exact],
  [undefined, exact],
])(
  'where half precision is %s it fetches that form of the backbone, and the only one of the adapter',
  async (has, own) => {
    const { given, info } = await load(has);
    expect(given).toEqual([{ device: 'auto', files: [...own, ...ofAdapter, ...canaries].sort() }]);
    expect(info.why).toEqual(['The last word.']);
  },
);

test('half precision that fails gives way to WASM, and says so', async () => {
  const { given, info } = await load(true, true);
  expect(given.map(({ device }) => device)).toEqual(['auto', 'wasm']);
  expect(given[1]!.files).toEqual([...exact, ...ofAdapter, ...canaries].sort());
  expect(info.why).toEqual(['Half precision failed. The GPU gives wrong numbers.', 'The last word.']);
  expect(info.warnings).toEqual([
    { code: 'device-fallback', message: 'Half precision failed. The GPU gives wrong numbers.' },
  ]);
});
