/** Toybox data sets on disk: what the readers of the layouts make of them, and what is left after a run was stopped. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import { openClip } from '../../sdk/media/clip.ts';
import { checkFolder, loadDataset, readMask } from '../../sdk/node/data/index.ts';
import { decodePng } from '../../sdk/node/data/png-reader.ts';
import { writeToybox } from '../../sdk/node/toybox/index.ts';
import {
  centreOf,
  composeClip,
  createRenderer,
  filmEvents,
  flagsOf,
  soundingMask,
  soundtrackOf,
  TOYBOX_LAYOUTS,
  toyboxClasses,
} from '../../sdk/toybox/index.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-toybox-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** SHA-256 of every file under `folder`, by path. */
async function digests(folder: string): Promise<Record<string, string>> {
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const found: Record<string, string> = {};
  for (const path of paths) {
    found[path] = createHash('sha256')
      .update(await readFile(join(folder, path)))
      .digest('hex');
  }
  return found;
}

describe('layouts', () => {
  const seed = 5;
  beforeAll(async () => {
    await writeToybox(join(root, 'all'), { seed, clips: 10, threads: 1 });
  }, 180_000);

  test.each(TOYBOX_LAYOUTS)('%s: its reader finds every clip usable and nothing wrong', async (layout) => {
    const report = await checkFolder(join(root, 'all', layout));
    expect(report.findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect([report.format, report.annotated, report.usable]).toEqual([
      layout,
      { train: 8, val: 1, test: 1 },
      { train: 8, val: 1, test: 1 },
    ]);
  });

  test('exact: films begin inside of seconds, and sound begins when the table says', async () => {
    await writeToybox(join(root, 'exact'), { seed, clips: 3, threads: 1, layouts: ['llp-exact'] });
    const { dataset, folder } = await loadDataset(join(root, 'exact', 'llp-exact'), { task: 'parse' });
    expect([dataset.format, dataset.items.length, dataset.classes]).toEqual(['folder', 3, [...toyboxClasses]]);
    for (let index = 0; index < 3; index++) {
      const clip = composeClip(seed, 'llp-exact', index);
      expect(clip.begin).toBeGreaterThan(0);
      const { events, seconds, source } = dataset.items.find(({ id }) => id === `${clip.id}.webm`)!;
      expect(seconds).toBe(9);
      const heard = filmEvents(clip).filter(({ modality }) => modality === 'heard');
      expect(events!.filter(({ modality }) => modality === 'audio')).toEqual(
        heard.map(({ label, start, end }) => ({
          ...{ classIndex: toyboxClasses.indexOf(label), modality: 'audio' },
          ...{ onset: Number(start.toFixed(3)), offset: Number(end.toFixed(3)) },
        })),
      );
      await using film = await openClip(folder.pathOf((source as { path: string }).path));
      expect(film.duration).toBeCloseTo(9, 1);
      const pcm: number[] = [];
      for await (const second of film.segments({ frame: { width: 8, height: 8 }, sampleRate: 8000 })) {
        pcm.push(...second.pcm!);
      }
      // Louder after a first onset than before it: three tenths of a second each, Opus in between.
      const first = Math.min(...heard.map(({ start }) => start));
      if (first < 0.4) continue;
      const energy = (from: number) =>
        pcm.slice(Math.round(from * 8000), Math.round((from + 0.3) * 8000)).reduce((sum, x) => sum + x * x, 0);
      expect(energy(first + 0.02)).toBeGreaterThan(2 * energy(first - 0.35));
    }
  }, 60_000);

  test('AVE: labels by second are where the clip is both seen and heard', async () => {
    const { dataset } = await loadDataset(join(root, 'all', 'ave'));
    expect(dataset.classes).toEqual([...toyboxClasses]);
    for (let index = 0; index < 10; index++) {
      const clip = composeClip(seed, 'ave', index);
      const { labels } = dataset.items.find(({ id }) => id === clip.id)!;
      const { label } = clip.actors[0]!;
      const expected = flagsOf(clip, label).both.map((on) => (on ? toyboxClasses.indexOf(label) : 12));
      expect(labels.task === 'localize' && [...labels.seconds]).toEqual(expected);
    }
  });

  test('LLP: train has the union alone, val and test what is heard and what is seen', async () => {
    const { dataset } = await loadDataset(join(root, 'all', 'llp'));
    expect(dataset.classes).toEqual([...toyboxClasses]);
    for (let index = 0; index < 10; index++) {
      const clip = composeClip(seed, 'llp', index);
      const { labels } = dataset.items.find(({ id }) => id.startsWith(clip.id))!;
      if (labels.task !== 'parse') throw new Error('expected labels for parsing');
      const flags = toyboxClasses.map((label) => flagsOf(clip, label));
      const some = ({ seen, heard }: (typeof flags)[0]) => Number(seen.includes(true) || heard.includes(true));
      expect([...labels.clip]).toEqual(flags.map(some));
      if (clip.split === 'train') expect([labels.audio, labels.visual]).toEqual([null, null]);
      else {
        const grid = (key: 'seen' | 'heard') =>
          Array.from({ length: 120 }, (_, at) => Number(flags[at % 12]![key][Math.floor(at / 12)]));
        expect([[...labels.audio!], [...labels.visual!]]).toEqual([grid('heard'), grid('seen')]);
      }
    }
  });

  test('AVSBench: frames and masks are those of the centres of the seconds, S4 keeps all but the first back in train', async () => {
    for (const [layout, index] of [
      ['avs-s4', 9],
      ['avs-ms3', 0],
    ] as const) {
      const { dataset, folder } = await loadDataset(join(root, 'all', layout));
      const clip = composeClip(seed, layout, index);
      const { source, labels } = dataset.items.find(({ id }) => id === clip.id)!;
      if (source.kind !== 'frames' || labels.task !== 'segment') throw new Error('expected frames and masks');
      const renderer = createRenderer(clip, 224, 224);
      for (let second = 0; second < 5; second++) {
        const canvas = renderer.draw(centreOf(second));
        const frame = decodePng(await folder.readBytes(source.paths[second]!));
        expect(frame).toEqual({ width: 224, height: 224, channels: 3, data: new Uint8Array(canvas.rgb) });
        const mask = readMask(await folder.readBytes(labels.masks[second]!));
        expect(mask.data).toEqual(soundingMask(clip, canvas, second).map((value) => value / 255));
      }
      const wav = await folder.readBytes(source.audio!);
      expect(wav.length).toBe(44 + 2 * 5 * 16_000);
    }
    const { dataset } = await loadDataset(join(root, 'all', 'avs-s4'));
    const kept = dataset.items.map(({ labels }) => labels.task === 'segment' && labels.masks.filter(Boolean).length);
    expect(kept).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 5, 5]);
  });

  test('a film shows the centre of each second and sounds as composed', async () => {
    const clip = composeClip(seed, 'ave', 2);
    const [width, height] = [256, 192];
    const renderer = createRenderer(clip, width, height);
    const sound = soundtrackOf(clip, 48_000);
    await using film = await openClip(join(root, 'all', 'ave', 'AVE', `${clip.id}.webm`));
    expect([film.video?.codec, film.audio?.codec, film.segmentCount]).toEqual(['vp9', 'opus', 10]);
    for await (const { index, frame, pcm } of film.segments({ frame: { width, height }, sampleRate: 48_000 })) {
      const distance = (time: number) => {
        const { rgb } = renderer.draw(time);
        return frame!.data.reduce((sum, value, i) => sum + Math.abs(value - rgb[i]!), 0) / rgb.length;
      };
      expect(distance(centreOf(index))).toBeLessThan(7);
      for (const other of [-0.3, 0.3])
        expect(distance(centreOf(index))).toBeLessThanOrEqual(distance(centreOf(index) + other));
      const rms = (wave: Float32Array) => Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
      const composed = rms(sound.subarray(index * 48_000, (index + 1) * 48_000));
      expect(rms(pcm!) / composed).toBeGreaterThan(0.7);
      expect(rms(pcm!) / composed).toBeLessThan(1.3);
    }
  });
});

describe('runs', () => {
  const options = { seed: 3, layouts: ['avs-ms3'] as const, threads: 1 };

  test('a stopped run leaves whole clips and no tables; going on, repairing and growing give the files of one run', async () => {
    const [straight, broken] = [join(root, 'straight'), join(root, 'broken')];
    await writeToybox(straight, { ...options, clips: 6 });
    const controller = new AbortController();
    const reason = new Error('stop');
    const run = writeToybox(broken, {
      ...options,
      clips: 4,
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(reason),
    });
    await expect(run).rejects.toBe(reason);
    const left = await digests(join(broken, 'avs-ms3'));
    expect(Object.keys(left).filter((path) => !/^(visual_frames|gt_masks|audio_wav)/.test(path))).toEqual([
      'toybox.jsonl',
    ]);
    expect(Object.keys(left)).toHaveLength(1 + 2 * 11);
    // A line that a kill cut off, a damaged file, and what a kill left of another.
    await appendFile(join(broken, 'avs-ms3', 'toybox.jsonl'), '{"clip":2,"fi');
    const sound = Object.keys(left).find((path) => path.endsWith('.wav'))!;
    await writeFile(join(broken, 'avs-ms3', sound), 'damaged');
    await writeFile(join(broken, 'avs-ms3', 'ms3_meta_data.csv.part'), 'nam');
    expect(await writeToybox(broken, { ...options, clips: 4 })).toMatchObject([{ clips: 4, made: 3 }]);
    expect(await writeToybox(broken, { ...options, clips: 6 })).toMatchObject([{ clips: 6, made: 2 }]);
    expect(await digests(broken)).toEqual(await digests(straight));
    expect(await writeToybox(broken, { ...options, clips: 6 })).toMatchObject([{ clips: 6, made: 0 }]);
    await expect(writeToybox(broken, { ...options, seed: 4, clips: 6 })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });

  test('threads make the same bytes, films included', async () => {
    // Threads run what a bundle holds; it must lie where it finds the packages.
    const cache = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));
    await mkdir(cache, { recursive: true });
    const bundle = await mkdtemp(join(cache, 'toybox-'));
    try {
      await build({
        entryPoints: [fileURLToPath(new URL('../../sdk/node/toybox/index.ts', import.meta.url))],
        bundle: true,
        platform: 'node',
        format: 'esm',
        packages: 'external',
        target: 'es2022',
        outfile: join(bundle, 'toybox.mjs'),
      });
      const code = `import { writeToybox } from './toybox.mjs';
        await writeToybox(process.argv[2], { seed: 9, clips: 2, layouts: ['ave', 'avs-s4'], threads: 2 });`;
      await writeFile(join(bundle, 'run.mjs'), code);
      const { status, stderr } = spawnSync(process.execPath, [join(bundle, 'run.mjs'), join(root, 'threads')], {
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
    } finally {
      await rm(bundle, { recursive: true, force: true });
    }
    await writeToybox(join(root, 'thread'), { seed: 9, clips: 2, layouts: ['ave', 'avs-s4'], threads: 1 });
    expect(await digests(join(root, 'threads'))).toEqual(await digests(join(root, 'thread')));
  });

  test('options out of range and places that cannot be written are told', async () => {
    const folder = join(root, 'never');
    for (const wrong of [{ seed: -1 }, { clips: 0 }, { threads: 0.5 }, { layouts: ['ava' as 'ave'] }]) {
      await expect(writeToybox(folder, { ...options, ...wrong })).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    await writeFile(folder, '');
    await expect(writeToybox(folder, { ...options, clips: 1 })).rejects.toMatchObject({ code: 'write' });
  });
});

test('the command makes a data set that the command finds in order', async () => {
  const out = join(root, 'command');
  const mettle = async (...argv: string[]) => {
    let [stdout, stderr] = ['', ''];
    const code = await main(argv, {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
    });
    return { code, stdout, stderr };
  };
  const made = await mettle('data', 'toybox', '--out', out, '--seed', '2', '--clips', '10', '--layouts', 'avs-s4');
  expect(made).toEqual({ code: 0, stdout: `${join(out, 'avs-s4')}: 10 clips\n`, stderr: '' });
  const checked = await mettle('data', 'check', join(out, 'avs-s4'));
  expect([checked.code, checked.stderr]).toEqual([0, '']);
  expect(checked.stdout).toContain('for segment');
  await rm(join(out, 'avs-s4', 'visual_frames', 'test'), { recursive: true });
  expect((await mettle('data', 'check', join(out, 'avs-s4'))).code).toBe(2);
  for (const wrong of [[], ['toy'], ['toybox'], ['toybox', '--out', out, '--clips', 'x'], ['check']]) {
    const { code, stderr } = await mettle('data', ...wrong);
    expect([code, stderr]).toEqual([2, expect.stringContaining('hint: ')]);
  }
});
