/**
 * Clips that no shipped model was trained on, each with the truth about it: of the toybox's test split, whose backgrounds, pitches and rooms training never draws,
 * and from another seed. Nobody chose them: they are the first ones of their kind. `tsx examples/clips.ts` writes them where the plain page looks for them.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { concatenate } from '../sdk/arrays.ts';
import { listShipped, type Task } from '../sdk/index.ts';
import { createResampler } from '../sdk/media/resampler.ts';
import { encodePng } from '../sdk/node/output/png.ts';
import { encodeFilm } from '../sdk/node/toybox/film.ts';
import {
  centreOf,
  composeClip,
  createRenderer,
  eventsOf,
  soundingMask,
  soundtrackOf,
  type ToyboxLayout,
  type ToyClip,
} from '../sdk/toybox/index.ts';
import { type ClipTruth, runsOf } from './truth.js';

/** What a kind of clip asks, and which adapter learned to answer it from clips of this kind. */
export type ClipKind = { layout: ToyboxLayout; task: Task; adapter: string; title: string; question: string };

const kinds: readonly ClipKind[] = [
  {
    layout: 'ave',
    task: 'localize',
    adapter: 'toybox-ave',
    title: 'Localize',
    question: 'Which event is both seen and heard, and when?',
  },
  {
    layout: 'llp',
    task: 'parse',
    adapter: 'toybox-llp',
    title: 'Parse',
    question: 'Which events are heard, which are seen, and when?',
  },
  {
    layout: 'avs-s4',
    task: 'segment',
    adapter: 'toybox-s4',
    title: 'Segment',
    question: 'Which pixels make the sound?',
  },
  {
    layout: 'avs-ms3',
    task: 'segment',
    adapter: 'toybox-ms3',
    title: 'Segment several',
    question: 'Which pixels, where several things sound by turns?',
  },
];

export type DemoClip = { id: string; kind: ClipKind; film: Uint8Array; poster: Uint8Array; truth: ClipTruth };

/** Training drew from seed 1. */
const seed = 2;
/** The last of every ten clips is of the test split. */
const indexOf = (ordinal: number): number => 10 * ordinal + 9;
/** Pixels, as the toybox's films have them; masks at half of that are fine enough to look at. */
const size = { width: 256, height: 192 };
const maskSize = { width: 128, height: 96 };
const rate = 48_000;

/** The kinds whose adapter ships here. */
export async function shippedKinds(): Promise<ClipKind[]> {
  const ids = new Set((await listShipped()).map(({ id }) => id));
  return kinds.filter(({ adapter }) => ids.has(adapter));
}

/** Clip number `ordinal` (from 0) of a kind. The same arguments give the same bytes. */
export async function makeClip(kind: ClipKind, ordinal: number): Promise<DemoClip> {
  const index = indexOf(ordinal);
  const clip = composeClip(seed, kind.layout, index);
  const renderer = createRenderer(clip, size.width, size.height);
  const film = await encodeFilm(clip, renderer, soundOf(clip));
  const poster = encodePng({ ...size, data: renderer.draw(centreOf(fullestSecond(clip))).rgb });
  return { id: `${kind.layout}-${index}`, kind, film, poster, truth: truthOf(clip, kind.task === 'segment') };
}

/** The layouts of AVSBench keep their sound at 16 kHz, and that is what adapters learn from there. */
function soundOf(clip: ToyClip): Float32Array<ArrayBuffer> {
  const sound = soundtrackOf(clip, rate);
  return clip.layout.startsWith('avs') ? resample(resample(sound, rate, 16_000), 16_000, rate) : sound;
}

function resample(sound: Float32Array, from: number, to: number): Float32Array<ArrayBuffer> {
  const resampler = createResampler(from, to);
  return new Float32Array(concatenate([resampler.push(sound), resampler.finish()]));
}

/** The first second in which most can be seen. */
function fullestSecond({ actors, seconds }: ToyClip): number {
  const counts = Array.from({ length: seconds }, (_, second) => actors.filter(({ seen }) => seen[second]).length);
  return counts.indexOf(Math.max(...counts));
}

function truthOf(clip: ToyClip, withMasks: boolean): ClipTruth {
  const { seconds } = clip;
  const truth: ClipTruth = { seconds, events: eventsOf(clip), masks: null };
  if (!withMasks) return truth;
  const renderer = createRenderer(clip, maskSize.width, maskSize.height);
  const runs = Array.from({ length: seconds }, (_, second) =>
    runsOf(soundingMask(clip, renderer.draw(centreOf(second)), second)),
  );
  return { ...truth, masks: { ...maskSize, runs } };
}

/** Writes `count` clips of each kind into `folder`, which is made anew, with a list of them for a page: `clips.json`. */
export async function writeClips(folder: string, count: number): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const groups = [];
  for (const kind of await shippedKinds()) {
    const clips = [];
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const { id, film, poster, truth } = await makeClip(kind, ordinal);
      await writeFile(`${folder}/${id}.webm`, film);
      await writeFile(`${folder}/${id}.png`, poster);
      await writeFile(`${folder}/${id}.json`, JSON.stringify(truth));
      clips.push({ id, seconds: truth.seconds });
    }
    const { task, adapter, title, question } = kind;
    groups.push({ task, adapter, title, question, clips });
  }
  await writeFile(`${folder}/clips.json`, JSON.stringify(groups));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeClips(fileURLToPath(new URL('../out/clips', import.meta.url)), 3);
}
