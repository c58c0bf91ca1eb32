/** Views of a pretraining: in which order they are visited, how they are kept, and that threads make the same ones as this thread. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtimes } from '#runtimes';
import { tapBackbone } from '../../sdk/compile/tapped.ts';
import { savePackage } from '../../sdk/node/files/save-package.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { headOf, pieceSize, ViewBank, viewBytes, writeView } from '../../sdk/node/pretrain/bank.ts';
import { type PretrainRun, pretrainOnDisk } from '../../sdk/node/pretrain/run.ts';
import { openNetwork } from '../../sdk/onnx/taps.ts';
import { writeOnnx } from '../../sdk/onnx/writer.ts';
import { Graph, matmul, mean, reshape, transpose } from '../../sdk/ops/index.ts';
import type { ViewField } from '../../sdk/train/pretrain/views.ts';
import { passOf, visitor } from '../../sdk/train/pretrain/visits.ts';

describe('visits', () => {
  const plan = { chapter: 12, reuse: 3, batch: 4, seed: 5 };

  test('every view is visited so many times, and no more than so many chapters are needed at once', () => {
    const visits = visitor(plan);
    const counts = new Map<number, number>();
    // Three steps a chapter: passes of one, two and three chapters, then nine of three.
    const steps = 3 + 6 + 9 * 10;
    for (let step = 0; step < steps; step++) {
      const { oldest, newest } = passOf(step, plan);
      expect(newest - oldest).toBeLessThan(3);
      for (const view of visits(step)) {
        expect(view).toBeGreaterThanOrEqual(oldest * 12);
        expect(view).toBeLessThan((newest + 1) * 12);
        counts.set(view, (counts.get(view) ?? 0) + 1);
      }
    }
    for (let view = 0; view < 10 * 12; view++) expect(counts.get(view)).toBe(3);
  });

  test('depend on the step alone, and on the seed', () => {
    const order = visitor(plan);
    const all = Array.from({ length: 20 }, (_, step) => order(step));
    expect(visitor(plan)(17)).toEqual(all[17]);
    expect(visitor({ ...plan, seed: 6 })(17)).not.toEqual(all[17]);
  });
});

describe('with files', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'mettle-views-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  describe('a bank', () => {
    const fields: ViewField[] = [
      { name: 'pixels', type: 'uint8', length: 3 },
      { name: 'numbers', type: 'float16', length: 2 },
    ];
    const head = headOf('made from this');
    const viewOf = (index: number) => ({
      pixels: Uint8Array.of(index % 256, 2, 3),
      numbers: Uint16Array.of(index, 65535 - index),
    });

    function maker(failing = -1) {
      const made: number[] = [];
      return {
        made,
        async make(first: number, path: string) {
          made.push(first);
          if (first === failing) throw new Error(`piece ${first} failed`);
          const size = viewBytes(fields);
          const bytes = Buffer.alloc(head.length + pieceSize * size);
          bytes.set(head);
          for (let i = 0; i < pieceSize; i++) writeView(viewOf(first + i), fields, bytes, head.length + i * size);
          await writeFile(path, bytes);
        },
      };
    }

    test('gives back what was written, makes what lies ahead, and forgets what is behind', async () => {
      const folder = join(root, 'bank');
      const { made, make } = maker();
      const bank = await ViewBank.open({ folder, fields, head, make });
      bank.turnTo(0, pieceSize, 2 * pieceSize);
      for (const index of [0, 1, 127, 128, 200]) expect(await bank.read(index)).toEqual(viewOf(index));
      // What lies ahead may be begun first.
      expect([...made].sort((a, b) => a - b)).toEqual([0, 128]);
      bank.turnTo(2 * pieceSize, 3 * pieceSize, 4 * pieceSize);
      expect(await bank.read(300)).toEqual(viewOf(300));
      expect(await bank.read(400)).toEqual(viewOf(400));
      await expect.poll(() => readdir(folder)).toEqual(['views-00000002.bin', 'views-00000003.bin']);
      await bank.close();
    });

    test('makes nothing again that is there, but what is cut short or made from something else', async () => {
      const folder = join(root, 'again');
      const first = await ViewBank.open({ folder, fields, head, make: maker().make });
      for (const view of [0, 128, 256]) await first.read(view);
      await first.close();
      await writeFile(join(folder, 'views-00000001.bin'), 'cut short');
      await writeFile(join(folder, 'views-00000002.bin'), Buffer.alloc(64 + pieceSize * viewBytes(fields)));
      const { made, make } = maker();
      const second = await ViewBank.open({ folder, fields, head, make });
      for (const view of [0, 128, 256]) expect(await second.read(view)).toEqual(viewOf(view));
      expect(made).toEqual([128, 256]);
      await second.close();
    });

    test('tells a failure when the view is read', async () => {
      const bank = await ViewBank.open({ folder: join(root, 'failing'), fields, head, make: maker(128).make });
      bank.turnTo(0, 128, 256);
      expect(await bank.read(5)).toEqual(viewOf(5));
      await expect(bank.read(130)).rejects.toThrow('piece 128 failed');
      await bank.close();
    });
  });

  describe('a run', { timeout: 180_000 }, () => {
    const quick: Omit<PretrainRun, 'teachers' | 'material' | 'out'> = {
      preset: 'swin-v2-nano',
      exclude: null,
      made: 0.5,
      steps: 6,
      batch: 2,
      seed: 3,
      rate: 1e-3,
      from: [],
      teachersOnly: true,
      start: 0,
      reuse: 2,
      chapter: 4,
      half: true,
      fall: 1,
      probes: 4,
      device: 'cpu',
      threads: 1,
      makers: 2,
      resume: false,
    };

    /** A network whose map is sixteen means of colours and whose scores are three of their sums. */
    async function teacher(): Promise<string> {
      const graph = new Graph();
      const picture = graph.input('picture', [1, 3, 16, 16]);
      const cells = mean(reshape(picture, [1, 3, 4, 4, 4, 4]), [3, 5]);
      const tokens = reshape(transpose(reshape(cells, [1, 3, 16]), [0, 2, 1]), [1, 16, 3]);
      const mix = graph.constant(
        Float32Array.from({ length: 9 }, (_, i) => Math.sin(i)),
        [3, 3],
        'mix',
      );
      const scores = reshape(matmul(mean(tokens, [1]), mix), [1, 3]);
      const network = openNetwork(writeOnnx({ map: cells, scores }, { name: 'teacher' }), 'teacher.onnx');
      const { ort } = await runtimes.loadRuntime({ device: 'cpu' });
      const frontEnd = { width: 16, height: 16, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
      const source = { id: 'colours', version: '1.0.0', license: 'MIT', taps: ['map', 'scores'] };
      const made = await tapBackbone({ ...source, modality: 'visual', frontEnd: frontEnd as never }, { network, ort });
      expect(made.manifest.taps.visual.map(({ tokens: count, grid }) => [count, grid])).toEqual([
        [16, [4, 4]],
        [1, [1, 1]],
      ]);
      await savePackage(join(root, 'teacher'), made.files);
      return join(root, 'teacher');
    }

    let given: Pick<PretrainRun, 'teachers' | 'material'>;
    beforeAll(async () => {
      const folder = join(root, 'pictures');
      await mkdir(folder);
      for (let n = 0; n < 3; n++) {
        const data = new Uint8Array(40 * 30 * 3).map((_, i) => (i * (n + 3)) % 251);
        await writeFile(join(folder, `${n}.png`), encodePng({ width: 40, height: 30, data }));
      }
      given = { teachers: [await teacher()], material: [{ folder, share: 1 }] };
    });

    const plain = (weights: ReadonlyMap<string, Float32Array>) => [...weights].map(([name, data]) => [name, [...data]]);

    test('ends with the same weights however many threads make views, and wherever it was stopped', async () => {
      const whole = await pretrainOnDisk({ ...quick, ...given, out: join(root, 'whole') });
      expect(whole.explained.map(({ tap, stage }) => [tap, stage])).toEqual([
        ['visual.map', 3],
        ['visual.scores', 3],
      ]);
      const stop = new AbortController();
      const run = { ...quick, ...given, out: join(root, 'parts'), makers: 1, resume: true };
      const stopped = pretrainOnDisk({
        ...run,
        signal: stop.signal,
        onProgress: (at) => at.phase === 'training' && at.progress.step === 3 && stop.abort(new Error('enough')),
      });
      await expect(stopped).rejects.toThrow('enough');
      const steps: number[] = [];
      const rest = await pretrainOnDisk({
        ...run,
        onProgress: (at) => void (at.phase === 'training' && steps.push(at.progress.step)),
      });
      expect(steps).toEqual([4, 5, 6]);
      expect(plain(rest.weights)).toEqual(plain(whole.weights));
    });

    test('another made-up share is another training', async () => {
      const run = { ...quick, ...given, out: join(root, 'parts2'), makers: 1, steps: 2 };
      const stop = new AbortController();
      const onProgress: PretrainRun['onProgress'] = ({ phase }) => phase === 'training' && stop.abort(new Error('on'));
      await expect(pretrainOnDisk({ ...run, signal: stop.signal, onProgress })).rejects.toThrow('on');
      await expect(pretrainOnDisk({ ...run, made: 0.4, resume: true })).rejects.toMatchObject({ code: 'incompatible' });
    });
  });
});
