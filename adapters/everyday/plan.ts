/**
 * What happens in a clip: which takes are heard when and how loudly, over which noise, and which photographs are seen meanwhile. Every choice follows from the
 * seed and the clip's number; nothing is mixed or drawn here.
 */

import type { Split } from '../../sdk/contract/split.ts';
import { type Dice, diceOf } from '../../sdk/toybox/dice.ts';
import type { Span } from '../../sdk/toybox/types.ts';
import type { Take } from './esc10.ts';
import { categoryOf, type Photo } from './pictures.ts';
import { isCall, type Sound } from './sounds.ts';
import { type Stock, splitOfClip } from './splits.ts';

/** Of every clip. */
export const clipSeconds = 10;

/** A piece of a take in a clip; times in seconds. */
export type Excerpt = {
  take: Take;
  sound: Sound;
  /** Which piece of the take, and where in the clip it begins. */
  from: number;
  length: number;
  at: number;
  /** When it sounds, in the clip. */
  spans: Span[];
  /** Root mean square over `spans`, in decibels of full scale. */
  level: number;
};

/** Noise under everything; `level` in decibels of full scale, null for digital silence. `dark` in Hz: less of what lies above. */
export type Noise = { level: number | null; dark: number; swell: number; phase: number };

/** A stretch of time in which one photograph is seen. The view moves from one frame of it to another, both [0, 1). */
export type Shot = { span: Span; photo: Photo; subject: string | null; view: { from: View; to: View } };
/** Part of the largest crop that is seen, and where it lies along both axes. */
export type View = { zoom: number; x: number; y: number };

export type ClipPlan = {
  id: string;
  split: Split;
  seed: string;
  seconds: number;
  excerpts: Excerpt[];
  noise: Noise;
  shots: Shot[];
};

const longest = 4.5;
const shortestPiece = 1.5;
/** Seconds between sounds, and those of the clip that stay without any. */
const apart = 0.6;
const quiet = 1.5;
const share = { noEvent: 0.05, silence: 0.25, secondShot: 0.4, related: 0.5 };

/** The plan of clip `index`. `open` gives the sound of a take. */
export async function planClip(
  seed: number,
  index: number,
  classes: readonly string[],
  stocks: Record<Split, Stock>,
  open: (take: Take) => Promise<Sound>,
): Promise<ClipPlan> {
  const { split, ordinal } = splitOfClip(index);
  const stock = stocks[split];
  const clipSeed = `${seed}/everyday/${index}`;
  const takes = pickTakes(diceOf(`${clipSeed}/takes`), firstClass(seed, split, ordinal, classes), classes, stock);
  const cut: Cut[] = [];
  const dice = diceOf(`${clipSeed}/times`);
  const room = roomOf(takes.length);
  for (const take of takes) cut.push(cutOf(take, await open(take), room, dice));
  const excerpts = arrange(cut, dice);
  return {
    id: `${split}-${String(index + 1).padStart(5, '0')}`,
    split,
    seed: clipSeed,
    seconds: clipSeconds,
    excerpts,
    noise: noiseUnder(excerpts, diceOf(`${clipSeed}/noise`)),
    shots: pickShots(excerpts, stock.photos, diceOf(`${clipSeed}/photos`)),
  };
}

/** Each class comes first once in as many clips of a split as there are classes. */
function firstClass(seed: number, split: Split, ordinal: number, classes: readonly string[]): string {
  const round = Math.floor(ordinal / classes.length);
  return diceOf(`${seed}/everyday/${split}/${round}`).shuffle(classes)[ordinal % classes.length]!;
}

/** None, or one to three takes of different classes; each recording of a class is as likely as the others, however many takes it has. */
function pickTakes(dice: Dice, first: string, classes: readonly string[], { recordings }: Stock): Take[] {
  if (dice.chance(share.noEvent)) return [];
  const others = dice.shuffle(classes.filter((label) => label !== first)).slice(0, dice.whole(0, 2));
  return [first, ...others].map((label) => dice.pick(dice.pick(recordings.get(label)!)));
}

type Cut = Omit<Excerpt, 'at'>;

/** The most seconds that each of so many pieces may take. */
const roomOf = (count: number): number => Math.min(longest, (clipSeconds - quiet - apart * (count - 1)) / count);

/** A piece of the part that sounds, no longer than `room`: of calls as much as there is, of others a stretch of random length. */
function cutOf(take: Take, sound: Sound, room: number, dice: Dice): Cut {
  const [start, end] = [sound.spans[0]?.[0] ?? 0, sound.spans.at(-1)?.[1] ?? 0];
  const most = Math.min(room, end - start);
  const length = isCall(take.label) ? most : Math.min(most, dice.between(shortestPiece, room));
  const from = dice.between(start, end - length);
  const spans = sound.spans
    .map(([a, b]): [number, number] => [Math.max(a, from), Math.min(b, from + length)])
    .filter(([a, b]) => b - a >= 0.1);
  return { take, sound, from, length, spans, level: dice.between(-34, -14) };
}

/** Puts the pieces one after another, in random order, with random pauses; those that do not sound are dropped. */
function arrange(cut: readonly Cut[], dice: Dice): Excerpt[] {
  const order = dice.shuffle(cut.filter(({ spans }) => spans.length > 0));
  const rest = clipSeconds - order.reduce((sum, { length }) => sum + length, 0) - apart * (order.length - 1);
  const pauses = order.map(() => dice.between(0, rest)).sort((a, b) => a - b);
  let used = 0;
  return order.map((piece, i) => {
    const at = pauses[i]! + used;
    used += piece.length + apart;
    const spans = piece.spans.map(([a, b]): Span => [a - piece.from + at, b - piece.from + at]);
    return { ...piece, at, spans };
  });
}

function noiseUnder(excerpts: readonly Excerpt[], dice: Dice): Noise {
  const softest = Math.min(-30, ...excerpts.map(({ level }) => level));
  const level = dice.chance(share.silence) ? null : Math.max(-75, softest - dice.between(6, 30));
  return { level, dark: dice.between(200, 8000), swell: dice.between(0, 4), phase: dice.next() };
}

/** One shot or two, cut at a time that has nothing to do with the sounds. In half of all cases a shot shows what is heard in it, where a photograph of it is in stock. */
function pickShots(excerpts: readonly Excerpt[], photos: readonly Photo[], dice: Dice): Shot[] {
  const cut = dice.chance(share.secondShot) ? dice.between(3, clipSeconds - 3) : clipSeconds;
  const spans = [[0, cut] as const, [cut, clipSeconds] as const].filter(([start, end]) => start < end);
  return spans.map((span): Shot => {
    const heard = excerpts.filter(({ at, length }) => isWithin(at + length / 2, span));
    const subjects = dice.shuffle(heard.flatMap(({ take }) => categoryOf[take.label] ?? []));
    const wanted = subjects.find((name) => photos.some(({ shows }) => shows.has(name)));
    const subject = wanted !== undefined && dice.chance(share.related) ? wanted : null;
    const photo = dice.pick(subject === null ? photos : photos.filter(({ shows }) => shows.has(subject)));
    const view = (): View => ({ zoom: dice.between(0.5, 1), x: dice.next(), y: dice.next() });
    return { span, photo, subject, view: { from: view(), to: view() } };
  });
}

const isWithin = (time: number, [start, end]: Span): boolean => time >= start && time < end;

export type PlannedEvent = { start: number; end: number; label: string; excerpt: Excerpt; shot: Shot; shown: string };

/** Every stretch of sound with its label, by time. `shown` names the category that is then in the picture and stands for the sound, empty where none does. */
export function eventsOf({ excerpts, shots }: ClipPlan): PlannedEvent[] {
  return excerpts
    .flatMap((excerpt) =>
      excerpt.spans.map(([start, end]) => {
        const { label } = excerpt.take;
        const shot = shots.find(({ span }) => isWithin((start + end) / 2, span))!;
        const category = categoryOf[label];
        // A view that was not led to its subject may pass it by.
        const shown = category !== undefined && shot.subject === category ? category : '';
        return { start, end, label, excerpt, shot, shown };
      }),
    )
    .sort((a, b) => a.start - b.start);
}
