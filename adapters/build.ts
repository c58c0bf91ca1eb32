/**
 * Compiles everything that ships: `npm run build:models`. Weights are seeded noise, and every manifest, card and result says so.
 * The output folders are made anew; nothing in them is edited by hand.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { platform } from '#platform';
import { type BackboneSource, compileBackbone, type Package } from '../sdk/compile/backbone.ts';
import { evaluate } from '../sdk/compile/evaluate.ts';
import { placeOf } from '../sdk/compile/form-runs.ts';
import { compileMeasured } from '../sdk/compile/measured.ts';
import { smallForms } from '../sdk/compile/variants.ts';
import {
  largestError,
  type PackageReport,
  reportForms,
  smallestCosine,
  speedText,
} from '../sdk/compile/variants-report.ts';
import type { GraphFiles, Manifest } from '../sdk/hub/manifest.ts';
import { registryEntry, registryText } from '../sdk/hub/package.ts';
import type { Registry } from '../sdk/hub/registry.ts';
import { defaultAdapter } from '../sdk/models/adapter.ts';
import { machineName } from '../sdk/node/machine.ts';
import type { Evaluate } from '../sdk/ops/index.ts';
import { toyboxClasses } from '../sdk/toybox/objects/index.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));
const common = { version: '0.1.0', license: 'MIT' };
const runtime = await platform.loadRuntime({ device: 'auto' });
const onCpu: Evaluate = (values) => evaluate(runtime.ort, values);

const adapters = [
  { id: 'toybox-ave', task: 'localization' },
  { id: 'toybox-llp', task: 'parsing' },
  { id: 'toybox-s4', task: 'segmentation' },
] as const;

/** Smallest cosine that a tap may have with that of float32. */
const backboneCosine = 0.999;

/** A model with what was measured of it. */
type Measured<M extends Manifest> = { built: Package<M>; report: PackageReport };

/** A model card: what it is and what it is not. */
function card({ built: { manifest }, report }: Measured<Manifest>): string {
  const megabytes = (manifest.files.reduce((sum, file) => sum + file.bytes, 0) / 1e6).toFixed(1);
  const what =
    manifest.kind === 'backbone'
      ? 'Swin-V2 for pictures (128 x 128) and HTS-AT for one second of sound, at nano size.'
      : `A Mettle adapter for ${manifest.task} on backbone "${manifest.base.id}".`;
  const speed = speedText(report);
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
    `Files: ${megabytes} MB, ${precisions(manifest).join(' and ')}. Largest relative error against float32: ${largestError(report).toExponential(1)} (report.json).`,
    '',
    ...(speed ? [speed, ''] : []),
  ].join('\n');
}

function precisions({ variants }: Manifest): string[] {
  const graphs = [variants.webgpu, variants.wasm].flatMap((parts) => Object.values<GraphFiles | null>(parts));
  return [...new Set(graphs.filter((graph) => graph !== null).map(({ precision = 'float32' }) => precision))];
}

/** Writes a package beside its place and moves it there whole. */
async function save(path: string, model: Measured<Manifest>): Promise<void> {
  const target = `${folder}${path}`;
  const draft = `${target}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  for (const [name, bytes] of Object.entries(model.built.files)) await writeFile(`${draft}/${name}`, bytes);
  await writeFile(`${draft}/README.md`, card(model));
  await writeFile(`${draft}/report.json`, `${JSON.stringify(model.report, null, 2)}\n`);
  await rm(target, { recursive: true, force: true });
  await rename(draft, target);
}

const registry: Registry = {};
async function ship(path: string, model: Measured<Manifest>): Promise<void> {
  const { built } = model;
  await save(path, model);
  registry[built.manifest.id] = await registryEntry(built.manifest, `${path}/manifest.json`);
}

const nano: BackboneSource = { id: 'nano', ...common, presets: ['swin-v2-nano', 'hts-at-nano'], weights: { seed: 1 } };
const backbone = await compileBackbone({ ...nano, forms: smallForms }, onCpu);
const place = placeOf(runtime, machineName());
const report = await reportForms(runtime.ort, backbone, await compileBackbone(nano, onCpu), place);
const cosine = Math.min(...Object.values(report).flatMap((part) => Object.values(part).map(smallestCosine)));
if (!(cosine > backboneCosine)) throw new Error(`A tap of nano has a cosine of ${cosine} with its float32 form.`);
await ship('backbones/nano', { built: backbone, report });
for (const { id, task } of adapters) {
  const config = { ...defaultAdapter, task, classes: task === 'segmentation' ? [] : toyboxClasses };
  const source = { id, ...common, config, weights: { seed: 1 } };
  const compiled = await compileMeasured(source, backbone.manifest, runtime.ort, place);
  await ship(`adapters/${id}`, { built: compiled.package, report: compiled.report });
}
await writeFile(`${folder}registry.json`, registryText(registry));
