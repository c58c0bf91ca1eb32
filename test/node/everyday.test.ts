/** Clips composed of recordings and photographs: what is drawn for them and what becomes of it, on made-up material. */
import { describe, expect, test } from 'vitest';
import { createCamera, type Look, type Prop, type Shot, size } from '../../adapters/everyday/camera.ts';
import type { Note } from '../../adapters/everyday/clip-files.ts';
import { main } from '../../adapters/everyday/compose.ts';
import type { CutOut } from '../../adapters/everyday/cutout.ts';
import { excerptOf } from '../../adapters/everyday/excerpts.ts';
import type { Photo } from '../../adapters/everyday/photos.ts';
import { type ClipPlan, type Material, planScene, truthOf } from '../../adapters/everyday/plan.ts';
import { maskOf, planMasks } from '../../adapters/everyday/plan-masks.ts';
import type { Recording } from '../../adapters/everyday/recordings.ts';
import { rate, type Sound, soundingSpans } from '../../adapters/everyday/sounds.ts';
import { soundtrackOf } from '../../adapters/everyday/soundtrack.ts';
import { labelOfPhoto, labelOfRecording, other, splitOfClip, stockOf } from '../../adapters/everyday/splits.ts';
import { tablesOf } from '../../adapters/everyday/tables.ts';
import { both, heard, seen, things } from '../../adapters/everyday/things.ts';
import { SPLITS } from '../../sdk/contract/split.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import { rmsOver } from '../../sdk/toybox/synth.ts';
import { parseOwnEvents } from '../../sdk/train/data/own-tables.ts';

const named = (name: string, series: string, fold: number | null = null): Recording => ({
  ...{ name, path: name, fold, series, author: `by ${series}`, licence: 'CC0', source: 'https://example.org' },
});
/** Of each thing that is heard six series of two takes, of those in ESC-10 two in each of four folds, and of what is none of them six. */
const recordings: Recording[] = things.flatMap(({ recordings: names, instruments }) => {
  const first = names?.[0] ?? (instruments === 'drums' ? 'made/drums-*' : `made/${instruments?.[0]?.join('-')}-*`);
  if (!names && !instruments) return [];
  const isEsc = first.startsWith('esc10/');
  return Array.from({ length: 16 }, (_, i) => {
    const series = Math.floor(i / 2);
    const fold = isEsc ? (series % 4) + 1 : null;
    return named(`${first.replace('*', String(i))}.wav`, `${first} ${series}`, fold);
  });
});
const rest = Array.from({ length: 6 }, (_, i) => named(`mod-sounds/frog_${i}.ogg`, `frog ${i}`));
const photos: Photo[] = [...things.flatMap((thing) => thing.photos ?? []), 'anchor', 'lotus'].flatMap((folder) =>
  Array.from({ length: 9 }, (_, i): Photo => {
    const name = `${folder}/${i}.jpg`;
    return { name, folder, path: name, split: SPLITS[i % 3]! };
  }),
);
const stocks = stockOf([...recordings, ...rest], photos, 1);
/** Two seconds of tone, two of nothing, one of tone: what goes on lasts, a call has a pause. */
const tone = Float32Array.from({ length: 5 * rate }, (_, i) =>
  i < 2 * rate || i >= 4 * rate ? 0.3 * Math.sin(i / 10) : 0,
);
const material: Material = {
  stocks,
  open: async (_path, call) => ({ samples: tone, spans: soundingSpans(tone, call) }),
  isCut: ({ name }) => !name.startsWith('faces'),
};
const scenes = (count: number, seed = 1): Promise<ClipPlan[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => planScene(seed, i, material)));
const maskClips = (count: number): Promise<ClipPlan[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => planMasks(1, i, material)));
const noteOf = (plan: ClipPlan): Note => ({
  ...{ ...truthOf(plan), id: plan.id, split: plan.split },
  used: plan.excerpts.map(({ recording: { name, author, licence, source, series } }) => {
    return { kind: 'sound', name, author, licence, source, series };
  }),
});

describe('things', () => {
  test('have distinct names, and there are as many of each kind as the adapters promise', () => {
    const labels = things.map(({ label }) => label);
    expect(new Set(labels).size).toBe(labels.length);
    expect(both.length).toBeGreaterThanOrEqual(14);
    expect(new Set([...heard, ...seen]).size - both.length).toBeGreaterThanOrEqual(10);
  });

  test('claim each recording and each folder once; what is too much like one stands for nothing', () => {
    const folders = things.flatMap((thing) => thing.photos ?? []);
    expect(new Set(folders).size).toBe(folders.length);
    for (const { name } of recordings) {
      expect(things.filter((thing) => labelOfRecording({ name }) === thing.label)).toHaveLength(1);
    }
    expect(labelOfRecording({ name: 'mod-sounds/frog.ogg' })).toBe(other);
    expect(labelOfRecording({ name: 'mod-sounds/pistol_cock_01.ogg' })).toBeNull();
    expect(labelOfRecording({ name: 'mod-sounds/pistol_fire_01.ogg' })).toBe('Gun');
    expect(labelOfRecording({ name: 'made/16-25-3.wav' })).toBe('Mandolin');
    expect(labelOfRecording({ name: 'made/0-25-3.wav' })).toBeNull();
    expect(labelOfPhoto({ folder: 'anchor' })).toBe(other);
    expect(labelOfPhoto({ folder: 'background_google' })).toBeNull();
  });
});

describe('splits', () => {
  test('share no series and no photograph; fold 3 tests alone, later folds are not used', () => {
    const used = SPLITS.map((split) => [...stocks[split].recordings.values()].flat(2));
    const seriesOf = used.map((list) => [...new Set(list.map(({ series }) => series))]);
    expect(new Set(seriesOf.flat()).size).toBe(seriesOf.flat().length);
    const folds = used.map((list) => [...new Set(list.map(({ fold }) => fold ?? 0))].sort());
    expect(folds[0]).toEqual([0, 1, 2]);
    expect(folds[1]!.every((fold) => fold < 3)).toBe(true);
    expect(folds[2]).toEqual([0, 3]);
    const pictures = SPLITS.map((split) => [...stocks[split].photos.values()].flat().map(({ name }) => name));
    expect(new Set(pictures.flat()).size).toBe(photos.length);
    for (const split of SPLITS) {
      expect([...stocks[split].recordings.keys()]).toEqual([...heard, other]);
      expect([...stocks[split].photos.keys()]).toEqual([...seen, other]);
    }
  });

  test('number their own clips', () => {
    const first = Array.from({ length: 20 }, (_, i) => splitOfClip(i));
    for (const split of SPLITS) {
      const mine = first.filter((entry) => entry.split === split).map(({ ordinal }) => ordinal);
      expect(mine).toEqual(mine.map((_, i) => i));
    }
    expect(new Set(first.slice(0, 3).map(({ split }) => split)).size).toBe(3);
  });

  test('need every thing on each side', () => {
    const without = recordings.filter((recording) => labelOfRecording(recording) !== 'Rain' || recording.fold !== 3);
    expect(() => stockOf([...without, ...rest], photos, 1)).toThrow('no sound of Rain for the test split');
    const few = photos.filter(({ folder, split }) => folder !== 'cup' || split !== 'val');
    expect(() => stockOf([...recordings, ...rest], few, 1)).toThrow('no photograph of Cup for the val split');
  });
});

describe('a scene', () => {
  test('is the same for the same seed, and another for another', async () => {
    expect(await scenes(6)).toEqual(await scenes(6));
    expect((await scenes(6, 2)).map(truthOf)).not.toEqual((await scenes(6)).map(truthOf));
  });

  test('is made of what its split has, within its ten seconds', async () => {
    for (const { split, excerpts, shots, seconds } of await scenes(120)) {
      for (const { label, recording, span } of excerpts) {
        expect(stocks[split].recordings.get(label ?? other)!.flat()).toContain(recording);
        expect(span[0]).toBeGreaterThanOrEqual(0);
        expect(span[1]).toBeGreaterThan(span[0]);
        expect(span[1]).toBeLessThanOrEqual(seconds + 1e-6);
      }
      expect([shots[0]!.span[0], shots.at(-1)!.span[1]]).toEqual([0, seconds]);
      for (const { photo, label, props } of shots) {
        expect(stocks[split].photos.get(label ?? other)).toContain(photo);
        for (const prop of props) expect(stocks[split].photos.get(prop.label!)).toContain(prop.photo);
      }
    }
  });

  test('comes in all kinds: heard and seen, either alone, different things, none of them', async () => {
    const truths = (await scenes(300)).map(truthOf);
    const kinds = truths.map(({ heard: sounds, seen: shown }) => {
      if (sounds.length + shown.length === 0) return 'nothing';
      const met = sounds.some((a) => shown.some((b) => a.label === b.label && a.start < b.end && b.start < a.end));
      if (met) return 'both';
      return sounds.length > 0 && shown.length > 0 ? 'different' : sounds.length > 0 ? 'heard' : 'seen';
    });
    for (const kind of ['nothing', 'both', 'different', 'heard', 'seen']) {
      expect(kinds.filter((name) => name === kind).length, kind).toBeGreaterThan(10);
    }
    expect(new Set(truths.flatMap((truth) => truth.heard.map(({ label }) => label)))).toEqual(new Set(heard));
    expect(new Set(truths.flatMap((truth) => truth.seen.map(({ label }) => label)))).toEqual(new Set(seen));
  });

  test('has one thing at a time that is both heard and seen', async () => {
    const notes = (await scenes(200)).map(noteOf);
    const rows = parseOwnEvents(tablesOf('ave', notes)['events.csv']!, 'events.csv').filter(({ event }) => event);
    expect(rows.length).toBeGreaterThan(50);
    for (const [i, a] of rows.entries()) {
      for (const b of rows.slice(i + 1)) {
        if (a.file !== b.file || a.event!.label === b.event!.label) continue;
        const overlap = Math.min(a.event!.offset, b.event!.offset) - Math.max(a.event!.onset, b.event!.onset);
        expect(overlap, a.file).toBeLessThan(0.5);
      }
    }
  });
});

describe('an excerpt', () => {
  const one = { label: 'Dog', recording: recordings[0]!, call: true };
  const sound: Sound = {
    samples: tone,
    spans: [
      [0, 2],
      [4, 5],
    ],
  };

  test('of a call repeats it with pauses too short to count, and is not cut within', () => {
    const excerpt = excerptOf(one, sound, [1, 9], -20, diceOf('a'))!;
    expect(excerpt.pieces.length).toBeGreaterThan(2);
    for (const [i, { at, length }] of excerpt.pieces.entries()) {
      const next = excerpt.pieces[i + 1];
      if (next) expect(next.at - at - length / excerpt.pace).toBeLessThan(1.2);
    }
    expect(excerpt.span[0]).toBe(1);
    expect(excerpt.span[1]).toBeLessThanOrEqual(9);
  });

  test('of what goes on fills its time', () => {
    const excerpt = excerptOf({ ...one, call: false }, { ...sound, spans: [[0, 5]] }, [2, 9.5], -20, diceOf('b'))!;
    expect(excerpt.span[0]).toBe(2);
    expect(Math.abs(excerpt.span[1] - 9.5)).toBeLessThan(0.11);
  });

  test('is none where nothing sounds', () => {
    expect(excerptOf(one, { samples: tone, spans: [] }, [0, 5], -20, diceOf('c'))).toBeNull();
  });

  test('is heard at its level, and nothing elsewhere where there is no noise', () => {
    const excerpt = { ...excerptOf(one, sound, [2, 6], -20, diceOf('d'))!, echoes: [], dull: null };
    const noise = { level: null, dark: 1000, swell: 0, phase: 0 };
    const wave = soundtrackOf({ seconds: 10, seed: 's', excerpts: [excerpt], noise });
    const sounding = excerpt.pieces.map(({ at, length }) => [at, at + length / excerpt.pace] as const);
    expect(20 * Math.log10(rmsOver(wave, rate, sounding))).toBeCloseTo(-20, 1);
    expect(wave.subarray(0, 1.99 * rate).every((x) => x === 0)).toBe(true);
    const noisy = soundtrackOf({ seconds: 10, seed: 's', excerpts: [], noise: { ...noise, level: -40 } });
    expect(20 * Math.log10(rmsOver(noisy, rate, [[0, 10]]))).toBeCloseTo(-40, 1);
  });
});

const look: Look = { flip: false, gamma: 1, tint: [1, 1, 1] };
const grey = { width: 128, height: 96, data: new Uint8Array(128 * 96 * 3).fill(90) };
const square: CutOut = {
  ...{ width: 20, height: 20, rgb: new Uint8Array(1200).fill(250), alpha: new Uint8Array(400).fill(255) },
};
const view = { zoom: 1, x: 0, y: 0 };
const prop = (label: string, x: number): Prop => ({
  ...{ photo: { ...photos[0]!, name: label }, label, x, y: 0.5, height: 0.25, drift: [0, 0], look },
});
const shotWith = (props: Prop[]): Shot => ({
  ...{ span: [0, 5], photo: photos[1]!, label: null, view: { from: view, to: view }, look, props },
});
const draw = (shot: Shot, time: number) => {
  const cutOuts = new Map(shot.props.map(({ photo }) => [photo, square]));
  return createCamera([shot], { photos: new Map([[shot.photo, grey]]), cutOuts }).draw(time);
};

test('a camera shows its photograph, and props where they are and drift to', () => {
  const moving = { ...prop('Dog', 0.3), drift: [0.1, 0] as const };
  const { rgb, owner } = draw(shotWith([moving]), 2);
  const at = (x: number, y: number): number => Math.round(y * size.height) * size.width + Math.round(x * size.height);
  expect([rgb[3 * at(0.5, 0.5)], owner[at(0.5, 0.5)]]).toEqual([250, 1]);
  expect([rgb[3 * at(0.3, 0.5)], owner[at(0.3, 0.5)]]).toEqual([90, 0]);
  expect(owner.filter((number) => number === 1).length / (0.25 * size.height) ** 2).toBeCloseTo(1, 1);
});

test('a mask has the pixels of what sounds in its second, and none of what does not', async () => {
  const shots = [shotWith([prop('Dog', 0.3), prop('Cup', 0.9)])];
  const excerpt = {
    ...(await scenes(30)).flatMap(({ excerpts }) => excerpts)[0]!,
    label: 'Dog',
    span: [1, 3] as const,
  };
  const areas = [0, 1, 2, 3].map((second) => {
    const mask = maskOf({ excerpts: [excerpt], shots }, draw(shots[0]!, second + 0.5), second);
    return mask.filter((value) => value === 255).length;
  });
  expect(areas.map((area) => area > 0)).toEqual([false, true, true, false]);
  expect(areas[1]! / (0.25 * size.height) ** 2).toBeCloseTo(1, 1);
});

test('clips with masks show one to three things, of which one sounds, two do, or none', async () => {
  const plans = await maskClips(120);
  const counts = plans.map(({ excerpts, shots: [shot] }) => {
    const labels = shot!.props.map(({ label }) => label);
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels.length).toBeLessThanOrEqual(3);
    return new Set(excerpts.filter(({ label }) => labels.includes(label)).map(({ label }) => label)).size;
  });
  expect([...new Set(counts)].sort()).toEqual([0, 1, 2]);
});

describe('tables', () => {
  test('say what is heard and what is seen for parse, and what is both for localize', () => {
    const note: Note = {
      ...{ id: 'train-00001', split: 'train', used: [] },
      heard: [
        { label: 'Dog', start: 1, end: 6 },
        { label: 'Rain', start: 0, end: 10 },
      ],
      seen: [
        { label: 'Dog', start: 4, end: 10 },
        { label: 'Cup', start: 4, end: 10 },
      ],
    };
    const [llp, ave] = [tablesOf('llp', [note]), tablesOf('ave', [note])];
    expect(llp['events.csv']!.trimEnd().split('\n').slice(1)).toEqual([
      'clips/train-00001.webm,1.000,6.000,Dog,audio',
      'clips/train-00001.webm,0.000,10.000,Rain,audio',
      'clips/train-00001.webm,4.000,10.000,Dog,visual',
      'clips/train-00001.webm,4.000,10.000,Cup,visual',
    ]);
    expect(ave['events.csv']!.trimEnd().split('\n').slice(1)).toEqual([
      'clips/train-00001.webm,4.000,6.000,Dog,audio-visual',
    ]);
    expect(ave['classes.txt']!.trimEnd().split('\n')).toEqual(both);
    expect(new Set(llp['classes.txt']!.trimEnd().split('\n'))).toEqual(new Set([...heard, ...seen]));
  });

  test('credit all that was used once, and quote what holds commas', async () => {
    const notes = (await scenes(40)).map(noteOf);
    for (const note of notes) for (const used of note.used) used.author = 'A "B", C';
    const rows = tablesOf('llp', notes)['attribution.csv']!.trimEnd().split('\n').slice(1);
    expect(rows).toHaveLength(new Set(notes.flatMap(({ used }) => used.map(({ name }) => name))).size);
    expect(rows[0]).toContain('"A ""B"", C",CC0,https://example.org,');
    expect(tablesOf('llp', notes)['card.md']).toMatch(/^- \*\*mod-sounds\*\* \(sounds\): \d+ CC0\. By A "B", C\.$/m);
  });
});

describe('the command', () => {
  const run = async (...argv: string[]) => {
    let [out, err] = ['', ''];
    const streams = {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
    };
    return { code: await main(argv, streams), out, err };
  };
  test.each<[string, string[], RegExp]>([
    ['no kind', [], /--kind must be scenes or masks/],
    ['no folder', ['--kind', 'masks'], /--data DIR is missing/],
    ['an unknown option', ['--sound', 'x'], /Unknown option '--sound'/],
    ['no number', ['--kind', 'masks', '--data', 'a', '--out', 'c', '--clips', 'many'], /--clips must be a whole/],
    ['no clips', ['--kind', 'masks', '--data', 'a', '--out', 'c', '--clips', '0'], /clips is 0; expected/],
    ['no photographs', ['--kind', 'scenes', '--data', 'nowhere', '--out', 'c'], /caltech101 cannot be read/],
  ])('refuses %s with one line and one hint', async (_name, argv, message) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('prints its help', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('--kind NAME') });
  });
});
