/**
 * `npm run bench:foreign -- [ADAPTER...] [--backbone A,B] [--data DIR] [--made DIR] [--count N] [--only KIND] [--out FILE]`: how often adapters answer about clips of worlds that they were not
 * made for, with and without what they know of familiarity. Toybox adapters (told by their id) see the real world, all others the toybox and what is none of the everyday things; both see noise. An answer is a second
 * with a label or a mask; its confidence that of its most probable label, of a mask the mean of its pixels.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runtimes } from '#runtimes';
import { analyzeClip } from '../../sdk/analyze.ts';
import { readBackbone } from '../../sdk/cli/options.ts';
import type { Clip } from '../../sdk/contract/clip.ts';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import { LocalEngine } from '../../sdk/engine/engine.ts';
import { MettleError } from '../../sdk/errors.ts';
import { openModel } from '../../sdk/hub/hub.ts';
import { type LoadedEngine, openBackbone } from '../../sdk/load.ts';
import type { TaskResult } from '../../sdk/tasks/types.ts';
import { table } from '../../sdk/train/metrics/report.ts';
import { type Foreign, noiseMaterial, realMaterial, strangeMaterial, toyboxMaterial } from './foreign-material.ts';

/** Seconds of one kind, and the shares of them with any answer and with one at 80 % or more. */
export type ForeignRow = {
  adapter: string;
  kind: string;
  seconds: number;
  before: { any: number; sure: number };
  after: { any: number; sure: number };
};

/** Confidence of the strongest answer about each second, and whether it would be withheld; null where there is none. */
type Heard = ({ confidence: number; withheld: boolean } | null)[];

export async function judgeForeign(
  engine: ForForeign,
  adapter: AdapterManifest,
  material: readonly Foreign[],
): Promise<ForeignRow[]> {
  const byKind = new Map<string, Heard>();
  for (const { kind, name, open } of material) {
    try {
      await using clip = await open();
      const { results } = await analyzeClip(engine, clip as Clip, [{ key: adapter.id, manifest: adapter }], {
        unfamiliar: 'show',
      });
      byKind.set(kind, [...(byKind.get(kind) ?? []), ...strongest(results[0]!, adapter.familiarity?.least ?? 0)]);
    } catch (error) {
      if (!(error instanceof MettleError)) throw error;
      process.stderr.write(`left out: ${name}: ${error.message}\n`);
    }
  }
  return [...byKind].map(([kind, seconds]) => {
    const share = (counts: (second: Heard[number]) => boolean): number =>
      seconds.filter(counts).length / seconds.length;
    const spoken = (second: Heard[number]): boolean => second !== null && !second.withheld;
    return {
      adapter: adapter.id,
      kind,
      seconds: seconds.length,
      before: { any: share((s) => s !== null), sure: share((s) => (s?.confidence ?? 0) >= 0.8) },
      after: { any: share(spoken), sure: share((s) => spoken(s) && s!.confidence >= 0.8) },
    };
  });
}

function strongest(result: TaskResult, least: number): Heard {
  const unfamiliar = (familiarity: number | null): boolean => familiarity !== null && familiarity < least;
  if (result.task === 'localize') {
    return result.seconds.map(({ label, probabilities, familiarity }) =>
      label === null ? null : { confidence: Math.max(...probabilities), withheld: unfamiliar(familiarity) },
    );
  }
  if (result.task === 'segment') {
    return result.masks.map(({ area, data, familiarity }) => {
      const marked = data.filter((value) => value > 127);
      const confidence = marked.reduce((sum, value) => sum + value / 255, 0) / marked.length;
      return area === 0 ? null : { confidence, withheld: unfamiliar(familiarity) };
    });
  }
  return result.seconds.map(({ start, familiarity, ...second }) => {
    // Borders may lie inside of seconds; an event is of those that it fills by more than a half.
    const filled = (event: { start: number; end: number }): number =>
      Math.min(event.end, start + 1) - Math.max(event.start, start);
    const here = result.events.filter((event) => filled(event) > 0.5);
    const answers = here.flatMap(({ modality, classIndex }) =>
      modality === 'audio-visual'
        ? []
        : [{ confidence: second[modality][classIndex]!, withheld: unfamiliar(familiarity[modality]) }],
    );
    // What remains counts, and of that the strongest.
    return answers.sort((a, b) => Number(a.withheld) - Number(b.withheld) || b.confidence - a.confidence)[0] ?? null;
  });
}

type ForForeign = Pick<LoadedEngine, 'backbone'> & { engine: LocalEngine; adapters: AdapterManifest[] };

export async function openForForeign(
  backboneName: string | readonly [string, string],
  adapters: readonly string[],
): Promise<ForForeign> {
  const backbone = await openBackbone(backboneName, {});
  const opened = await Promise.all(adapters.map((name) => openModel(name, 'adapter', {})));
  const engine = new LocalEngine(runtimes);
  const packages = await Promise.all(opened.map((model) => model.download('wasm', {})));
  await engine.load({
    backbone: await backbone.download('wasm', {}),
    adapters: packages,
    device: 'auto',
    threads: 1,
  });
  const manifests = packages.map(({ manifest }) => manifest as AdapterManifest);
  return { engine, backbone: backbone.manifest, adapters: manifests };
}

const percent = (share: number): string => (100 * share).toFixed(1);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backbone: { type: 'string', multiple: true },
      data: { type: 'string', default: fileURLToPath(new URL('../../../shared/data/', import.meta.url)) },
      made: { type: 'string', default: 'data/made' },
      count: { type: 'string', default: '60' },
      out: { type: 'string' },
    },
  });
  const names = positionals.length > 0 ? positionals : ['toybox-ave', 'toybox-llp', 'toybox-s4', 'toybox-ms3'];
  const loaded = await openForForeign(readBackbone(values.backbone), names);
  const count = Number(values.count);
  const noise = noiseMaterial(Math.ceil(count / 6));
  const real = [...(await realMaterial(values.data, count)), ...noise];
  const rows: ForeignRow[] = [];
  try {
    for (const adapter of loaded.adapters) {
      const material = adapter.id.startsWith('toybox')
        ? real
        : [
            ...(await strangeMaterial(values.data, values.made, count)),
            ...(await toyboxMaterial(Math.ceil(count / 20))),
            ...noise,
          ];
      rows.push(...(await judgeForeign(loaded, adapter, material)));
    }
  } finally {
    await loaded.engine.dispose();
  }
  const lines = rows.map(({ adapter, kind, seconds, before, after }) => [
    `${adapter}, ${kind}`,
    String(seconds),
    ...[before.any, before.sure, after.any, after.sure].map(percent),
  ]);
  const head = ['', 'seconds', 'any', '>= 80 %', 'any, withheld', '>= 80 %, withheld'];
  process.stdout.write(`${table([head, ...lines]).join('\n')}\n`);
  if (values.out) await writeFile(values.out, `${JSON.stringify(rows, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
