/** Pretraining: what is drawn, what is learned, what an interruption leaves, and what is said about wrong input. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { main } from '../../sdk/cli/main.ts';
import { backboneParams } from '../../sdk/models/backbone.ts';
import type { Weights } from '../../sdk/models/params.ts';
import { type AudioPreset, presets, type VisualPreset } from '../../sdk/models/presets.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { listMaterial, openMaterial } from '../../sdk/node/pretrain/material.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import { toyboxClasses } from '../../sdk/toybox/index.ts';
import type { CheckpointStore } from '../../sdk/train/loop/checkpoint.ts';
import { compress } from '../../sdk/train/pretrain/compression.ts';
import { pickShared } from '../../sdk/train/pretrain/draw.ts';
import { fractals, shapeHeaps, toyboxPictures } from '../../sdk/train/pretrain/made-pictures.ts';
import { tonesAndNoise, toyboxSounds } from '../../sdk/train/pretrain/made-sounds.ts';
import { type PictureSource, pictureSample } from '../../sdk/train/pretrain/pictures.ts';
import { type PretrainOptions, pretrain } from '../../sdk/train/pretrain/pretrain.ts';
import { soundSample } from '../../sdk/train/pretrain/sounds.ts';
import { targetFor } from '../../sdk/train/pretrain/targets.ts';
import { regrid, scaleOf, Teacher } from '../../sdk/train/pretrain/teacher.ts';
import { truthOf } from '../../sdk/train/pretrain/truth.ts';
import { tinyModels } from '../helpers/tiny-models.ts';

const runtime = await runtimes.loadRuntime({ device: 'cpu', threads: 2 });
const { backbone } = tinyModels(['wasm']);

const small = { patch: 4, width: 8, depths: [1, 1], heads: [1, 2], window: 2, mlpRatio: 2 };
const eyes: VisualPreset = {
  modality: 'visual',
  frontEnd: { input: 'picture', width: 16, height: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  network: { ...small, image: [16, 16] },
};
const ears: AudioPreset = {
  modality: 'audio',
  frontEnd: {
    ...presets['hts-at-nano'].frontEnd,
    sampleRate: 800,
    window: 128,
    fftSize: 128,
    hop: 50,
    frames: 16,
    mels: 16,
    minHz: 20,
    maxHz: 400,
  },
  network: { ...small, mels: 16, layout: { kind: 'plain' } },
};

/** Of which it is not known what it shows. */
const blank = { width: 8, height: 8, data: new Uint8Array(192).fill(90) };
const drawn = [shapeHeaps(1, 10), fractals(1, 4)];

/** With a teacher of its own, which lives as long as the run. */
async function run(change: Partial<PretrainOptions> = {}, modality: 'visual' | 'audio' = 'visual') {
  const teacher = await Teacher.open(runtime, backbone, modality);
  try {
    const material = modality === 'visual' ? { pictures: drawn } : { sounds: [tonesAndNoise(800)] };
    const preset = modality === 'visual' ? eyes : ears;
    const plan = {
      runtime,
      preset,
      teachers: [teacher],
      material,
      steps: 12,
      batch: 8,
      seed: 3,
      rate: 3e-3,
      probes: 32,
    };
    return await pretrain({ ...plan, ...change });
  } finally {
    await teacher.dispose();
  }
}

function memoryStore(): CheckpointStore {
  const files = new Map<string, Uint8Array>();
  return {
    save: async (name, bytes) => void files.set(name, bytes.slice()),
    load: async (name) => files.get(name) ?? null,
  };
}

const plain = (weights: Weights): [string, number[]][] => [...weights].map(([name, data]) => [name, [...data]]);

describe('learning', () => {
  test('from a network for pictures', async () => {
    const before = await run({ steps: 1, rate: 1e-9 });
    const { explained, weights } = await run({ steps: 200 });
    expect(explained.map(({ tap, stage }) => [tap, stage])).toEqual([
      ['v0', 1],
      ['v1', 1],
    ]);
    // This teacher mixes pixels from everywhere, which windows of 2 x 2 cannot wholly follow.
    for (const [i, { percent }] of explained.entries()) {
      expect(before.explained[i]!.percent).toBeLessThan(5);
      expect(percent).toBeGreaterThan(20);
    }
    expect([...weights.keys()].sort()).toEqual([...backboneParams(eyes).keys()].sort());
  });

  test('what made scenes show, at every stage', async () => {
    const material = { pictures: [toyboxPictures(6, 40)] };
    const before = await run({ material, steps: 1, rate: 1e-9 });
    const { told } = await run({ material, steps: 200 });
    expect(told.map(({ stage }) => stage)).toEqual([0, 1]);
    for (const [i, { percent }] of told.entries()) {
      expect(before.told[i]!.percent).toBeLessThan(0);
      expect(percent).toBeGreaterThan(before.told[i]!.percent! + 50);
    }
    const photographs = await run({ material: { pictures: [{ draw: () => blank }] }, steps: 1 });
    expect(photographs.told.map(({ percent }) => percent)).toEqual([null, null]);
    expect((await run({ teachersOnly: true, steps: 1 })).told).toEqual([]);
  });

  test('from a network for sounds', async () => {
    const { explained } = await run({ steps: 200, teachersOnly: true }, 'audio');
    expect(explained).toHaveLength(1);
    expect(explained[0]!.percent).toBeGreaterThan(40);
  });

  test('an interrupted run ends with the same weights, bit by bit', async () => {
    const whole = await run();
    const store = memoryStore();
    const checkpoint = { store, resume: true, every: 5 };
    const stop = new AbortController();
    const interrupted = run({
      checkpoint,
      signal: stop.signal,
      onProgress: ({ step }) => step === 7 && stop.abort(new Error('stop')),
    });
    await expect(interrupted).rejects.toThrow('stop');
    const steps: number[] = [];
    const resumed = await run({ checkpoint, onProgress: ({ step }) => steps.push(step) });
    expect(steps[0]).toBe(8);
    expect(plain(resumed.weights)).toEqual(plain(whole.weights));
  });

  test('a teacher without the sense is refused', async () => {
    const deaf = {
      ...backbone,
      manifest: { ...backbone.manifest, inputs: { ...backbone.manifest.inputs, audio: null } },
    };
    await expect(Teacher.open(runtime, deaf as never, 'audio')).rejects.toMatchObject({ code: 'incompatible' });
  });
});

describe('targets', () => {
  test('a tap goes to the stage with about as many places', () => {
    const nano = presets['swin-v2-nano'];
    const at = (grid: [number, number]) =>
      targetFor(nano, { name: 't', layout: 'map', tokens: grid[0] * grid[1], width: 9, grid });
    expect(at([7, 7])).toMatchObject({ stage: 2, grid: [8, 8], width: 9 });
    expect(at([5, 5])).toMatchObject({ stage: 3, grid: [4, 4] });
    expect(at([40, 40])).toMatchObject({ stage: 0, grid: [32, 32], scores: false });
    expect(at([1, 1])).toMatchObject({ stage: 3, grid: [1, 1], scores: true });
  });

  test('a plane stays a plane on another grid', () => {
    const plane = (rows: number, columns: number): Float32Array =>
      Float32Array.from({ length: rows * columns }, (_, i) => {
        const y = (Math.floor(i / columns) + 0.5) / rows;
        const x = ((i % columns) + 0.5) / columns;
        return 2 * y + 3 * x;
      });
    const finer = regrid(plane(4, 4), [4, 4], [2, 4], 1);
    plane(2, 4).forEach((value, i) => expect(finer[i]).toBeCloseTo(value, 6));
  });

  test('scales are those of each number over all places', () => {
    const { mean, deviation } = scaleOf(Float32Array.of(1, 10, 3, 10, 5, 10, 7, 10), 2);
    expect([...mean]).toEqual([4, 10]);
    expect(deviation[0]).toBeCloseTo(Math.sqrt(5), 6);
    expect(deviation[1]).toBeGreaterThan(0);
  });
});

describe('what is known', () => {
  test('of a picture: shares of each place, where pixels are known', () => {
    const shown = Uint8Array.of(0, 2, 255, 255, 0, 2, 255, 1);
    const picture = { width: 4, height: 2, data: new Uint8Array(24), shown };
    const { shares, known } = truthOf({ picture }, [1, 2], 2);
    expect([...known]).toEqual([1, 0.25]);
    expect([...shares]).toEqual([0, 0.5, 1, 0]);
  });

  test('of a sound: the same in every place, nothing where a recording is in it', () => {
    const pcm = new Float32Array(8);
    const told = truthOf({ pcm, rate: 8, heard: Float32Array.of(0.5, 0) }, [2, 1], 2);
    expect([...told.shares, ...told.known]).toEqual([0.5, 0, 0.5, 0, 1, 1]);
    expect(Math.max(...truthOf({ pcm, rate: 8, heard: null }, [2, 1], 2).known)).toBe(0);
  });

  test('a scene keeps its objects where they are drawn, however it is cut', async () => {
    const scenes = toyboxPictures(3, 6);
    for (let index = 0; index < 12; index++) {
      const { shown } = await pictureSample([scenes], 48, 1, index);
      expect(shown.every((value) => value <= toyboxClasses.length || value === 255)).toBe(true);
    }
    const flat = {
      draw: () => ({ width: 8, height: 8, data: new Uint8Array(192), shown: new Uint8Array(64).fill(3) }),
    };
    expect(new Set((await pictureSample([flat], 16, 1, 0)).shown)).toEqual(new Set([3]));
  });

  test('what is put behind an object leaves the object where it is', async () => {
    const shown = new Uint8Array(64).map((_, i) => (i % 8 < 4 ? 2 : 0));
    const scene = { draw: () => ({ width: 8, height: 8, data: new Uint8Array(192), shown }) };
    const kinds: string[] = [];
    for (let i = 0; i < 60; i++) {
      const of = new Set((await pictureSample([scene, { draw: () => blank }], 16, 1, i)).shown);
      kinds.push([2, 0, 255].filter((value) => of.has(value)).join());
    }
    expect(kinds).toContain('2,0');
    expect(kinds).toContain('2,255');
  });

  test('soundtracks say what is heard in a stretch', async () => {
    const { heard, wave } = await toyboxSounds(4, 1, 4000).draw(diceOf('any'));
    const all = heard!(0, wave.length);
    expect(Math.max(...all)).toBeGreaterThan(0);
    expect(all.every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(Math.max(...heard!(-4000, 0))).toBe(0);
  });
});

describe('samples', () => {
  test('the same number gives the same picture, another another', async () => {
    const sources = [toyboxPictures(5, 4), ...drawn];
    const one = await pictureSample(sources, 32, 1, 4);
    expect(one.data).toHaveLength(32 * 32 * 3);
    expect(await pictureSample([toyboxPictures(5, 4), shapeHeaps(1, 10), fractals(1, 4)], 32, 1, 4)).toEqual(one);
    expect((await pictureSample(sources, 32, 1, 5)).data).not.toEqual(one.data);
    expect((await pictureSample(sources, 32, 2, 4)).data).not.toEqual(one.data);
  });

  test('a source with three times the share is drawn from three times as often', () => {
    const dice = diceOf('shares');
    const sources = [{ share: 3, name: 'often' }, { name: 'seldom' }];
    const often = Array.from({ length: 4000 }, () => pickShared(sources, dice)).filter(({ name }) => name === 'often');
    // Four deviations of a binomial count.
    expect(Math.abs(often.length - 3000)).toBeLessThan(110);
  });

  test('compression spares flat colours, and fine lines the less the more is lost', () => {
    const flat = Float32Array.from({ length: 16 * 16 * 3 }, (_, i) => [96, 96, 96][i % 3]!);
    const before = flat.slice();
    compress(flat, 16, 16, 1);
    expect(Math.max(...flat.map((value, i) => Math.abs(value - before[i]!)))).toBeLessThan(2);
    const lines = Float32Array.from({ length: 16 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 110 : 146));
    const contrast = (loss: number): number => {
      const squeezed = lines.slice();
      compress(squeezed, 16, 16, loss);
      return Math.abs(squeezed[3]! - squeezed[0]!);
    };
    expect(contrast(0.1)).toBeGreaterThan(30);
    expect(contrast(20)).toBeLessThan(15);
  });

  test('the same number gives the same second, of finite numbers in [-1, 1]', async () => {
    for (let index = 0; index < 20; index++) {
      const pcm = await soundSample([tonesAndNoise(8000)], 8000, 1, index);
      expect(pcm.pcm).toHaveLength(8000);
      expect(pcm.pcm.every((x) => Math.abs(x) <= 1)).toBe(true);
      expect(await soundSample([tonesAndNoise(8000)], 8000, 1, index)).toEqual(pcm);
    }
  });

  test('a sound shorter than a second lies somewhere in silence', async () => {
    const click = { draw: () => ({ wave: Float32Array.of(0.5, -0.5, 0.5) }) };
    const pcm: Float32Array[] = [];
    for (let i = 0; i < 10; i++) pcm.push((await soundSample([click], 1000, 1, i)).pcm);
    expect(pcm.every((one) => one.every(Number.isFinite))).toBe(true);
    expect(pcm.some((one) => one.some((x) => x !== 0))).toBe(true);
  });
});

describe('the command', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'mettle-pretrain-'));
    const teacher = join(root, 'teacher');
    await mkdir(teacher);
    await mkdir(join(root, 'pictures', 'more'), { recursive: true });
    const data = new Uint8Array(20 * 10 * 3).map((_, i) => i % 251);
    await writeFile(join(root, 'pictures', 'a.png'), encodePng({ width: 20, height: 10, data }));
    await writeFile(join(root, 'pictures', 'more', 'b.PNG'), encodePng({ width: 20, height: 10, data }));
    await writeFile(join(root, 'pictures', 'broken.jpg'), new Uint8Array([0xff, 0xd8, 1, 2]));
    await writeFile(join(root, 'pictures', 'notes.txt'), 'no picture');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  async function call(...argv: string[]) {
    const said = { out: '', err: '' };
    const writer = (to: 'out' | 'err') => ({
      write(text: string) {
        said[to] += text;
      },
    });
    const code = await main(['pretrain', ...argv], { stdout: writer('out'), stderr: writer('err') } as never);
    return { code, ...said };
  }

  test('finds files below folders, leaves out what is excluded, and tells what cannot be read', async () => {
    const folder = join(root, 'pictures');
    const folders = [{ folder, share: 2 }];
    const all = await listMaterial(folders, 'visual', null);
    expect(all.files).toBe(3);
    const { groups, files, digest } = await listMaterial(folders, 'visual', /more\//);
    expect([files, groups.map(({ share }) => share)]).toEqual([2, [2]]);
    expect(digest).not.toBe(all.digest);
    const problems: string[] = [];
    const plan = { modality: 'visual' as const, groups, made: 0, seed: 1, sampleRate: 0, cache: root };
    const { pictures } = openMaterial(plan, (problem) => problems.push(problem)) as { pictures: PictureSource[] };
    for (let i = 0; i < 12; i++)
      expect(await pictures[0]!.draw(diceOf(`${i}`))).toMatchObject({ width: 20, height: 10 });
    expect(problems).toEqual([expect.stringContaining('broken.jpg')]);
    await expect(listMaterial(folders, 'audio', null)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('where nothing of a folder can be read, the error names a file', async () => {
    const groups = [{ share: 1, paths: [join(root, 'pictures', 'broken.jpg')] }];
    const plan = { modality: 'visual' as const, groups, made: 0, seed: 1, sampleRate: 0, cache: root };
    const { pictures } = openMaterial(plan, () => {}) as { pictures: PictureSource[] };
    await expect(pictures[0]!.draw(diceOf('any'))).rejects.toThrow('broken.jpg');
  });

  test('says what is missing or wrong', async () => {
    const cases: [string[], string][] = [
      [[], '--preset is missing'],
      [['--preset', 'swin'], '--preset "swin" is none of'],
      [['--preset', 'swin-v2-nano'], '--teacher is missing'],
      [
        ['--preset', 'swin-v2-nano', '--teacher', 'x', '--material', 'y', '--out', 'z', '--steps', '0'],
        '--steps must be',
      ],
      [['--preset', 'swin-v2-nano', '--teacher', 'x', '--material', 'y', '--out', 'z', '--exclude', '('], '--exclude'],
      [['--preset', 'swin-v2-nano', '--teacher', './none', '--material', root, '--out', join(root, 'w')], 'none'],
      [['--preset', 'swin-v2-nano', '--teacher', 'x', '--material', root, '--out', root], 'exists already'],
    ];
    for (const [argv, expected] of cases) {
      const { code, err } = await call(...argv);
      expect([code, err]).toEqual([2, expect.stringContaining(expected)]);
    }
  });
});
