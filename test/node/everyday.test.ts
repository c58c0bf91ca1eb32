/** Clips composed of real sounds and photographs: what is drawn for them, what becomes of it, and what `mettle data check` says of the folder. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCamera } from '../../adapters/everyday/camera.ts';
import { compose, main } from '../../adapters/everyday/compose.ts';
import { listTakes, type Take } from '../../adapters/everyday/esc10.ts';
import type { Photo } from '../../adapters/everyday/pictures.ts';
import { type ClipPlan, clipSeconds, eventsOf, planClip } from '../../adapters/everyday/plan.ts';
import { rate, type Sound, soundingSpans } from '../../adapters/everyday/sounds.ts';
import { soundtrackOf } from '../../adapters/everyday/soundtrack.ts';
import { leftOut, splitOfClip, stockOf } from '../../adapters/everyday/splits.ts';
import { tablesOf } from '../../adapters/everyday/tables.ts';
import { main as mettle } from '../../sdk/cli/main.ts';
import { SPLITS } from '../../sdk/contract/split.ts';
import { rmsOver } from '../../sdk/toybox/synth.ts';
import { sharedIsAbsent, sharedPath } from '../helpers/shared.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mettle-everyday-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const classes = ['Dog bark', 'Rain', 'Rooster', 'Clock tick'];
/** Two takes of each of six recordings per fold and class, and those that must not be used. */
const takes: Take[] = classes.flatMap((label) => {
  const made = [1, 2, 3, 4].flatMap((fold) =>
    ['10', '11', '12', '13', '14', '15'].flatMap((id) =>
      ['A', 'B'].map((take) => ({
        label,
        fold,
        recording: `${fold}-${id}`,
        name: `${label}/${fold}-${id}-${take}.ogg`,
      })),
    ),
  );
  const refused = label === 'Rooster' ? leftOut.map((name, i) => ({ label, fold: i + 1, recording: name, name })) : [];
  return [...made, ...refused].map((take) => ({ ...take, path: take.name }));
});
const photos: Photo[] = Array.from({ length: 20 }, (_, i) => ({
  name: `p${i}`,
  path: `p${i}.jpg`,
  shows: new Map(i % 2 ? [['dog', [40, 20, 20, 20]]] : []),
  licence: i === 3 ? 'CC BY, "2.0"' : 'CC BY 2.0',
  source: `s${i}`,
}));
const stocks = stockOf(classes, takes, photos, 1);

/** Two seconds of tone, two of nothing, one of tone: rain lasts, a bark has a pause. */
const tone = Float32Array.from({ length: 5 * rate }, (_, i) =>
  i < 2 * rate || i >= 4 * rate ? 0.3 * Math.sin(i / 10) : 0,
);
const sounds: Sound = { samples: tone, spans: soundingSpans(tone, true) };
const plan = (index: number, seed = 1): Promise<ClipPlan> => planClip(seed, index, classes, stocks, async () => sounds);

describe('splits', () => {
  test('share no recording and no photograph; fold 3 tests alone, and later folds are not used', () => {
    const used = SPLITS.map((split) => [...stocks[split].recordings.values()].flat(2));
    const folds = used.map((list) => [...new Set(list.map(({ fold }) => fold))].sort());
    expect(folds[0]).toEqual([1, 2]);
    expect(folds[1]!.every((fold) => fold < 3)).toBe(true);
    expect(folds[2]).toEqual([3]);
    const recordings = used.map((list) => [...new Set(list.map(({ label, recording }) => `${label} ${recording}`))]);
    expect(new Set(recordings.flat()).size).toBe(recordings.flat().length);
    expect(recordings[1]!.length).toBe(classes.length);
    // All takes of a recording are where the recording is.
    expect(used.map((list) => list.length)).toEqual(recordings.map((list) => 2 * list.length));
    const seen = SPLITS.map((split) => stocks[split].photos.map(({ name }) => name));
    expect(new Set(seen.flat()).size).toBe(photos.length);
    expect(seen.flat()).toHaveLength(photos.length);
    for (const split of SPLITS) expect(stocks[split].photos.some(({ shows }) => shows.has('dog'))).toBe(true);
  });

  test('have no recording under Sampling+', () => {
    const names = SPLITS.flatMap((split) => [...stocks[split].recordings.values()].flat(2)).map(({ name }) => name);
    expect(names.filter((name) => leftOut.includes(name))).toEqual([]);
  });

  test('number their own clips', () => {
    const first = Array.from({ length: 20 }, (_, i) => splitOfClip(i));
    for (const split of SPLITS) {
      const mine = first.filter((entry) => entry.split === split).map(({ ordinal }) => ordinal);
      expect(mine).toEqual(mine.map((_, i) => i));
    }
    expect(new Set(first.slice(0, 3).map(({ split }) => split)).size).toBe(3);
  });

  test('need a recording of each class on each side', () => {
    const without = takes.filter(({ label, fold }) => label !== 'Rain' || fold !== 3);
    expect(() => stockOf(classes, without, photos, 1)).toThrow('no sound of Rain for the test split');
    expect(() => stockOf(classes, takes, photos.slice(0, 1), 1)).toThrow('no photograph for the val split');
  });
});

describe('a plan', () => {
  test('is the same for the same seed, and another for another', async () => {
    expect(await plan(5)).toEqual(await plan(5));
    expect(eventsOf(await plan(5, 2))).not.toEqual(eventsOf(await plan(5)));
  });

  test('holds up to three classes one after another, of its own split, with pauses', async () => {
    const plans = await Promise.all(Array.from({ length: 80 }, (_, i) => plan(i)));
    const counts = new Set<number>();
    for (const { split, excerpts, shots, ...rest } of plans) {
      counts.add(excerpts.length);
      const stock = stocks[split];
      for (const { take } of excerpts) expect(stock.recordings.get(take.label)!.flat()).toContain(take);
      for (const { photo } of shots) expect(stock.photos).toContain(photo);
      expect(new Set(excerpts.map(({ take }) => take.label)).size).toBe(excerpts.length);
      expect(excerpts.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(clipSeconds - 1.5);
      let last = 0;
      for (const { start, end } of eventsOf({ split, excerpts, shots, ...rest })) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end - start).toBeGreaterThanOrEqual(0.1 - 1e-9);
        last = end;
      }
      expect(last).toBeLessThanOrEqual(clipSeconds + 1e-9);
      expect([shots[0]!.span[0], shots.at(-1)!.span[1]]).toEqual([0, clipSeconds]);
    }
    expect([...counts].sort()).toEqual([0, 1, 2, 3]);
    const firsts = new Set(plans.flatMap(({ excerpts }) => excerpts.map(({ take }) => take.label)));
    expect(firsts).toEqual(new Set(classes));
  });

  test('says that something is shown only where the view is led to it', async () => {
    const plans = await Promise.all(Array.from({ length: 60 }, (_, i) => plan(i)));
    const dogs = plans.flatMap(eventsOf).filter(({ label }) => label === 'Dog bark');
    const shown = dogs.filter((event) => event.shown === 'dog');
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.length).toBeLessThan(dogs.length);
    for (const { shot } of shown) expect(shot.photo.shows.has('dog')).toBe(true);
    const others = plans.flatMap(eventsOf).filter(({ label }) => label !== 'Dog bark');
    expect(others.map((event) => event.shown)).toEqual(others.map(() => ''));
  });
});

describe('sounding spans', () => {
  const bursts = (times: number[], length: number): Float32Array => {
    const samples = new Float32Array(5 * rate);
    for (const time of times) {
      for (let i = 0; i < length * rate; i++) samples[Math.round(time * rate) + i] = 0.2 * Math.sin(i / 7);
    }
    return samples;
  };
  test.each<[string, Float32Array, boolean, [number, number][]]>([
    ['nothing in digital silence', new Float32Array(5 * rate), false, []],
    [
      'a call between pauses',
      bursts([0.5, 3], 0.5),
      true,
      [
        [0.5, 1],
        [3, 3.5],
      ],
    ],
    ['a clock as one', bursts([0, 1, 2, 3, 4], 0.1), false, [[0, 4.1]]],
  ])('find %s', (_name, samples, call, expected) => {
    const rounded = soundingSpans(samples, call).map((span) => span.map((time) => Number(time.toFixed(2))));
    expect(rounded).toEqual(expected);
  });

  test('of a call end where it is 25 dB down, of a steady sound 40 dB', () => {
    const fading = bursts([0], 5).map((x, i) => x * 10 ** (-(10 * i) / rate / 20));
    expect(soundingSpans(fading, true)[0]![1]).toBeCloseTo(2.5, 0);
    expect(soundingSpans(fading, false)[0]![1]).toBeCloseTo(4, 0);
  });
});

test('a soundtrack has each piece at its level, and nothing elsewhere where there is no noise', async () => {
  const plans = await Promise.all(Array.from({ length: 30 }, (_, i) => plan(i)));
  const quiet = plans.find(({ noise, excerpts }) => noise.level === null && excerpts.length > 1)!;
  const wave = soundtrackOf(quiet);
  expect(wave).toHaveLength(clipSeconds * rate);
  for (const { spans, level } of quiet.excerpts) {
    expect(Math.abs(20 * Math.log10(rmsOver(wave, rate, spans)) - level)).toBeLessThan(0.5);
  }
  const inside = (time: number): boolean =>
    quiet.excerpts.some(({ at, length }) => time > at - 0.01 && time < at + length + 0.01);
  expect(wave.filter((x, i) => x !== 0 && !inside(i / rate))).toHaveLength(0);
  const noisy = plans.find(({ noise }) => noise.level !== null)!;
  expect(soundtrackOf(noisy).filter((x) => x === 0).length).toBeLessThan(100);
});

test('a view that is led to its subject ends on it', () => {
  const [width, height] = [160, 120];
  const data = new Uint8Array(width * height * 3);
  for (let y = 80; y < 110; y++) for (let x = 110; x < 150; x++) data[3 * (y * width + x)] = 255;
  const photo: Photo = { ...photos[0]!, shows: new Map([['dog', [110, 80, 40, 30]]]) };
  const still = { zoom: 0.5, x: 0, y: 0 };
  const shot = { span: [0, 10] as const, photo, view: { from: still, to: still } };
  const images = new Map([[photo, { width, height, data }]]);
  const red = (subject: string | null, time: number): number => {
    const { rgb } = createCamera([{ ...shot, subject }], images).draw(time);
    return rgb.filter((value, i) => i % 3 === 0 && value > 200).length / (rgb.length / 3);
  };
  expect(red(null, 9)).toBe(0);
  expect(red('dog', 0)).toBe(0);
  expect(red('dog', 9)).toBeGreaterThan(0.4);
});

test('tables quote what holds commas, and credit all that was used once', async () => {
  const credit = { title: 'Bark, loud', author: 'A "B"', source: 'https://example.org/1', licence: 'CC0' };
  const credits = new Map(takes.map(({ name }) => [name, { name, ...credit }]));
  const plans = await Promise.all(Array.from({ length: 40 }, (_, i) => plan(i)));
  const tables = tablesOf(classes, plans, credits);
  const rows = tables['attribution.csv']!.trimEnd().split('\n').slice(1);
  const names = plans.flatMap(({ excerpts, shots }) => [
    ...excerpts.map(({ take }) => take.name),
    ...shots.map(({ photo }) => photo.name),
  ]);
  expect(rows).toHaveLength(new Set(names).size);
  expect(rows[0]).toContain('"Bark, loud","A ""B""",https://example.org/1,CC0,');
  const empty = plans.find(({ excerpts }) => excerpts.length === 0)!;
  expect(tables['events.csv']).toContain(`\nclips/${empty.id}.webm,,,,,,${empty.shots[0]!.photo.name},\n`);
});

describe('the command', () => {
  const run = async (...argv: string[]) => {
    let [out, err] = ['', ''];
    const code = await main(argv, {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
    });
    return { code, out, err };
  };
  const esc10 = async (name: string, files: string[]): Promise<string> => {
    const folder = join(root, name);
    await mkdir(join(folder, '001 - Dog bark'), { recursive: true });
    for (const file of files) await writeFile(join(folder, '001 - Dog bark', file), '');
    return folder;
  };

  test.each<[string, string[], RegExp]>([
    ['nothing', [], /--sounds DIR is missing/],
    ['an unknown option', ['--sound', 'x'], /Unknown option '--sound'/],
    ['no number', ['--sounds', 'a', '--pictures', 'b', '--out', 'c', '--clips', 'many'], /--clips must be a whole/],
    ['no clips', ['--sounds', 'a', '--pictures', 'b', '--out', 'c', '--clips', '0'], /clips is 0; expected/],
    ['no sounds', ['--sounds', 'nowhere', '--pictures', 'b', '--out', 'c'], /nowhere is no folder/],
  ])('refuses %s with one line and one hint', async (_name, argv, message) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('names what a folder of sounds or pictures lacks', async () => {
    const folder = await esc10('sounds', ['1-100-A.ogg', 'notes.txt']);
    expect((await listTakes(folder)).takes).toMatchObject([{ label: 'Dog bark', fold: 1, recording: '1-100' }]);
    const to = join(root, 'never');
    const argv = ['--sounds', folder, '--pictures', join(root, 'no'), '--out', to];
    expect((await run(...argv)).err).toMatch(/attribution\.csv is not there; .*credited/);
    await writeFile(join(folder, 'attribution.csv'), 'folder,file,title\n');
    expect((await run(...argv)).err).toMatch(/attribution\.csv line 1: no column author, sound, licence/);
    await writeFile(join(folder, 'attribution.csv'), 'folder,file,title,author,sound,licence\n');
    expect((await run(...argv)).err).toMatch(/panoptic\.json cannot be read/);
    await mkdir(join(root, 'no'));
    await writeFile(join(root, 'no', 'panoptic.json'), '{"images": []}');
    expect((await run(...argv)).err).toMatch(/expected lists named images, annotations and categories/);
    await expect(readdir(to)).rejects.toThrow();
    await expect(listTakes(root)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('prints its help', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--pictures DIR') });
  });
});

const real = { sounds: sharedPath('sounds/esc10'), pictures: sharedPath('pictures') };
const isAbsent = sharedIsAbsent('sounds/esc10') || sharedIsAbsent('pictures');
describe.skipIf(isAbsent)('real sounds and photographs (skipped without ../shared/data)', () => {
  test('become a folder that mettle data check finds whole, the same again for the same seed', async () => {
    const out = join(root, 'real');
    expect(await compose({ ...real, out, seed: 1, clips: 3 })).toBe(3);
    let report = '';
    const io = { stdout: { write: (text: string) => (report += text) }, stderr: { write: () => {} } };
    expect(await mettle(['data', 'check', out, '--json'], io)).toBe(0);
    const { task, usable, findings } = JSON.parse(report);
    expect({ task, usable }).toEqual({ task: 'localize', usable: { train: 1, val: 1, test: 1 } });
    expect(findings.filter(({ level }: { level: string }) => level !== 'info')).toEqual([]);
    const credits = await readFile(join(out, 'attribution.csv'), 'utf8');
    expect(credits).toMatch(/^sound,.*freesound\.org.*,CC/m);
    expect(credits).toMatch(/^photo,.*flickr.*,Attribution/m);

    const films = await readdir(join(out, 'clips'));
    const before = await readFile(join(out, 'clips', films[0]!));
    await rm(join(out, 'clips', films[0]!));
    expect(await compose({ ...real, out, seed: 1, clips: 3 })).toBe(1);
    expect((await readFile(join(out, 'clips', films[0]!))).equals(before)).toBe(true);
    await expect(compose({ ...real, out, seed: 2, clips: 3 })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('was begun with another seed or other sources'),
    });
  }, 300_000);
});
