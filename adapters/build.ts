/**
 * Compiles everything that ships: `npm run build:models`. Weights are seeded noise, and every manifest, card and result says so.
 * The output folders are made anew; nothing in them is edited by hand.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { compileAdapter } from '../sdk/compile/adapter.ts';
import { compileBackbone, type Package } from '../sdk/compile/backbone.ts';
import { evaluate } from '../sdk/compile/evaluate.ts';
import type { Manifest } from '../sdk/hub/manifest.ts';
import { registryEntry, registryText } from '../sdk/hub/package.ts';
import type { Registry } from '../sdk/hub/registry.ts';
import { defaultAdapter } from '../sdk/models/adapter.ts';
import type { Evaluate } from '../sdk/ops/index.ts';
import classLists from './classes.json' with { type: 'json' };

const folder = fileURLToPath(new URL('.', import.meta.url));
const common = { version: '0.1.0', license: 'MIT' };
const onCpu: Evaluate = (values) => evaluate(ort, values);

const adapters = [
  { id: 'toybox-ave', task: 'localization' },
  { id: 'toybox-llp', task: 'parsing' },
  { id: 'toybox-s4', task: 'segmentation' },
] as const;

/** A model card: what it is and what it is not. */
function card({ manifest }: Package<Manifest>): string {
  const megabytes = (manifest.files.reduce((sum, file) => sum + file.bytes, 0) / 1e6).toFixed(1);
  const what =
    manifest.kind === 'backbone'
      ? 'Swin-V2 for pictures (128 x 128) and HTS-AT for one second of sound, at nano size.'
      : `A Mettle adapter for ${manifest.task} on backbone "${manifest.base.id}".`;
  return [
    '---',
    `license: ${manifest.license.toLowerCase()}`,
    'tags: [mettle-edge, audio-visual]',
    ...(manifest.kind === 'adapter' ? [`base_model: ${manifest.base.id}`] : []),
    '---',
    `# ${manifest.id} ${manifest.version}`,
    '',
    what,
    '',
    ...(manifest.untrained
      ? [
          '**Untrained: its weights are seeded noise.** It shows that the pipeline runs and how fast; its answers mean nothing.',
        ]
      : []),
    '',
    `Files: ${megabytes} MB, float32.`,
    '',
  ].join('\n');
}

/** Writes a package beside its place and moves it there whole. */
async function save(path: string, built: Package<Manifest>): Promise<void> {
  const target = `${folder}${path}`;
  const draft = `${target}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  for (const [name, bytes] of Object.entries(built.files)) await writeFile(`${draft}/${name}`, bytes);
  await writeFile(`${draft}/README.md`, card(built));
  await rm(target, { recursive: true, force: true });
  await rename(draft, target);
}

const registry: Registry = {};
async function ship(path: string, built: Package<Manifest>): Promise<void> {
  await save(path, built);
  registry[built.manifest.id] = await registryEntry(built.manifest, `${path}/manifest.json`);
}

const backbone = await compileBackbone(
  { id: 'nano', ...common, presets: ['swin-v2-nano', 'hts-at-nano'], weights: { seed: 1 } },
  onCpu,
);
await ship('backbones/nano', backbone);
for (const { id, task } of adapters) {
  const config = { ...defaultAdapter, task, classes: task === 'segmentation' ? [] : classLists['sounding-objects'] };
  const built = await compileAdapter({ id, ...common, config, weights: { seed: 1 } }, backbone.manifest, onCpu);
  await ship(`adapters/${id}`, built);
}
await writeFile(`${folder}registry.json`, registryText(registry));
