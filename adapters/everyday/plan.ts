/**
 * What happens in a clip of ten seconds: which photographs are seen when, what sounds in them, and what is heard besides. Every choice follows from the seed and the clip's number;
 * nothing is mixed or drawn here.
 */
import type { Split } from '../../sdk/contract/split.ts';
import { type Dice, diceOf } from '../../sdk/toybox/dice.ts';
import type { Span } from '../../sdk/toybox/types.ts';
import type { Look, Prop, Shot, View } from './camera.ts';
import { type Excerpt, excerptOf } from './excerpts.ts';
import type { Photo } from './photos.ts';
import type { Sound } from './sounds.ts';
import type { Noise } from './soundtrack.ts';
import { other, type Stock, type Stocks, splitOfClip } from './splits.ts';
import { both, heard, seen, things } from './things.ts';

export type ClipPlan = {
  id: string;
  split: Split;
  seed: string;
  seconds: number;
  /** How much of the picture compression leaves. */
  quality: 'low' | 'medium' | 'high';
  excerpts: Excerpt[];
  noise: Noise;
  shots: Shot[];
};

/** What plans are made from. `open` gives the sound of a recording, as a call or as what goes on; `cut` says of which photographs there are cut-outs. */
export type Material = {
  stocks: Stocks;
  open: (path: string, call: boolean) => Promise<Sound>;
  isCut: (photo: Photo) => boolean;
};

export const sceneSeconds = 10;
const shortestShot = 2.5;
/**
 * Shares that leave neither sense enough by itself: of the seconds in which a thing sounds, and of those in which one is seen that could, about half are both.
 */
const share = {
  /** Of shots in which something is seen that can be heard, those in which it is. */
  sounds: 0.86,
  /** Of all other shots those over which something is heard that could be seen, and is not. */
  unmet: 0.7,
  /** Of its sounds those that begin with the shot, and those that end with it. */
  goesOn: 0.6,
  outlasts: 0.12,
  /** Of shots those that show another thing than the clip's first, or the first of a clip for the ear. */
  otherShot: 0.5,
  prop: 0.3,
  silentProp: 0.15,
  silence: 0.2,
  /** Of clips those for one sense. */
  alone: 0.14,
  /** Of the sounds of nothing that is seen: none of the things, and of the others such as could be seen. */
  otherSound: 0.45,
  couldBeSeen: 0.4,
};

/** What comes first, clip after clip: what can be localized four times as often, and in one of fourteen clips nothing that has a name. */
const firsts: readonly (string | null)[] = [
  ...[...both, ...both, ...both, ...both],
  ...heard.filter((label) => !both.includes(label)),
  ...seen.filter((label) => !both.includes(label)),
  ...Array.from({ length: 6 }, () => null),
];

export async function planScene(seed: number, index: number, material: Material): Promise<ClipPlan> {
  const { split, ordinal } = splitOfClip(index);
  const stock = material.stocks[split];
  const clipSeed = `${seed}/scene/${index}`;
  const first = firstOf(firsts, `${seed}/scene/${split}`, ordinal);
  const alone = aloneOf(first, diceOf(`${clipSeed}/senses`));
  const shots = pickShots(alone === 'heard' ? null : first, stock, material, diceOf(`${clipSeed}/shots`));
  const wanted = pickSounds(alone === 'seen' ? null : first, shots, diceOf(`${clipSeed}/sounds`));
  const excerpts = await openSounds(wanted, stock, material, diceOf(`${clipSeed}/pieces`));
  const dice = diceOf(`${clipSeed}/noise`);
  return {
    ...{ id: idOf(split, index), split, seed: clipSeed, seconds: sceneSeconds, excerpts, shots },
    noise: noiseUnder(excerpts, dice),
    quality: qualityOf(dice),
  };
}

export const idOf = (split: Split, index: number): string => `${split}-${String(index + 1).padStart(5, '0')}`;
export const qualityOf = (dice: Dice): ClipPlan['quality'] => dice.pick(['low', 'medium', 'high', 'high'] as const);

/** Each of the list comes once in as many clips of a split as it is long. */
export function firstOf<T>(list: readonly T[], seed: string, ordinal: number): T {
  return diceOf(`${seed}/${Math.floor(ordinal / list.length)}`).shuffle(list)[ordinal % list.length]!;
}

/** In some clips nothing that has a name is seen, or nothing such is heard: labels of whole clips tell the senses apart by these. */
function aloneOf(first: string | null, dice: Dice): 'heard' | 'seen' | null {
  if (first === null || !dice.chance(share.alone)) return null;
  const senses = (['heard', 'seen'] as const).filter((sense) => ({ heard, seen })[sense].includes(first));
  return dice.pick(senses);
}

function pickShots(first: string | null, stock: Stock, material: Material, dice: Dice): Shot[] {
  const spans = shotSpans(dice);
  const place = dice.whole(0, spans.length - 1);
  const isSeen = first !== null && seen.includes(first);
  const subjects = spans.map((_, i): string | null => {
    if (first === null) return null;
    if (isSeen && i === place) return first;
    return dice.chance(share.otherShot) ? dice.pick(seen) : null;
  });
  return spans.map((span, i) => {
    const label = subjects[i]!;
    const props: Prop[] = [];
    const cuts = stock.photos.get(label ?? other)!.filter(material.isCut);
    const asProp = label !== null && cuts.length > 0 && dice.chance(share.prop);
    if (asProp) props.push(propOf(dice.pick(cuts), label, dice));
    if (first !== null && dice.chance(share.silentProp)) {
      const beside = dice.pick(seen.filter((name) => !subjects.includes(name)));
      const some = stock.photos.get(beside)!.filter(material.isCut);
      if (some.length > 0) props.unshift(propOf(dice.pick(some), beside, dice));
    }
    const shown = asProp ? null : label;
    const photo = dice.pick(stock.photos.get(shown ?? other)!);
    return { span, photo, label: shown, view: { from: viewOf(dice), to: viewOf(dice) }, look: lookOf(dice), props };
  });
}

function shotSpans(dice: Dice): Span[] {
  const count = dice.pick([1, 1, 2, 2, 3]);
  const rest = sceneSeconds - count * shortestShot;
  const cuts = Array.from({ length: count - 1 }, () => dice.between(0, rest)).sort((a, b) => a - b);
  const starts = [0, ...cuts.map((cut, i) => cut + (i + 1) * shortestShot)];
  return starts.map((start, i) => [start, starts[i + 1] ?? sceneSeconds] as const);
}

export const viewOf = (dice: Dice): View => ({
  zoom: dice.between(0.7, 1),
  x: dice.between(0.2, 0.8),
  y: dice.between(0.2, 0.8),
});

export const lookOf = (dice: Dice): Look => ({
  flip: dice.chance(0.5),
  gamma: dice.between(0.75, 1.35),
  tint: [dice.between(0.88, 1.1), dice.between(0.92, 1.08), dice.between(0.88, 1.1)],
});

function propOf(photo: Photo, label: string, dice: Dice): Prop {
  const height = dice.between(0.45, 0.85);
  return {
    ...{ photo, label, height, look: lookOf(dice), x: dice.between(0.35, 0.98), y: dice.between(0.4, 0.7) },
    drift: [dice.between(-0.02, 0.02), dice.between(-0.01, 0.01)],
  };
}

type Wanted = { label: string | null; span: Span; level: number };

/** What sounds where it is seen, or over something else; then what is heard besides: things that are nowhere in the picture, and what is none of them. */
function pickSounds(first: string | null, shots: readonly Shot[], dice: Dice): Wanted[] {
  const wanted: Wanted[] = [];
  const labels = labelsOf(shots);
  const unseen = heard.filter((label) => !labels.has(label));
  const couldBe = unseen.filter((label) => both.includes(label));
  for (const { span, label, props } of shots) {
    const subject = label ?? props.at(-1)?.label ?? null;
    const sounds = first !== null && subject !== null && both.includes(subject) && dice.chance(share.sounds);
    if (!sounds && (first === null || !dice.chance(share.unmet))) continue;
    wanted.push({
      label: sounds ? subject : dice.pick(couldBe),
      span: within(span, dice),
      level: dice.between(-28, -12),
    });
  }
  const isFirst = first !== null && unseen.includes(first);
  const count = dice.pick(isFirst ? [1, 1, 2] : [0, 0, 1, 1, 2]);
  for (let i = 0; i < count; i++) {
    const couldBeSeen = dice.chance(share.couldBeSeen);
    const could = unseen.filter((name) => both.includes(name) === couldBeSeen);
    const any = first === null || dice.chance(share.otherSound) ? null : dice.pick(could);
    const label = isFirst && i === 0 ? first : any;
    const length = dice.between(2, 7);
    const start = dice.between(0, sceneSeconds - length);
    wanted.push({ label, span: [start, start + length], level: dice.between(-34, -14) });
  }
  return wanted;
}

/** What is seen at some time. */
const labelsOf = (shots: readonly Shot[]): Set<string> =>
  new Set(
    shots.flatMap(({ label, props }) => [label, ...props.map((prop) => prop.label)]).filter((name) => name !== null),
  );

/** Most of a shot or a part of it, now and then beyond its end. */
function within([start, end]: Span, dice: Dice): Span {
  const room = end - start;
  const from = dice.chance(share.goesOn) ? start : start + dice.between(0, room - 2);
  const to = dice.chance(share.goesOn) ? end : dice.between(from + 1.8, end);
  return [from, dice.chance(share.outlasts) ? Math.min(sceneSeconds, to + 3) : to];
}

export async function openSounds(
  wanted: readonly Wanted[],
  stock: Stock,
  material: Material,
  dice: Dice,
): Promise<Excerpt[]> {
  const excerpts: Excerpt[] = [];
  for (const { label, span, level } of wanted) {
    // Each series is as likely as the others, however many takes it has.
    const recording = dice.pick(dice.pick(stock.recordings.get(label ?? other)!));
    const call = things.find((thing) => thing.label === label)?.call ?? false;
    const sound = await material.open(recording.path, call);
    const excerpt = excerptOf({ label, recording, call }, sound, span, level, dice);
    if (excerpt) excerpts.push(excerpt);
  }
  return excerpts;
}

export function noiseUnder(excerpts: readonly Excerpt[], dice: Dice): Noise {
  const softest = Math.min(-30, ...excerpts.map(({ level }) => level));
  const level = dice.chance(share.silence) ? null : Math.max(-75, softest - dice.between(6, 30));
  return { level, dark: dice.between(200, 8000), swell: dice.between(0, 4), phase: dice.next() };
}

export type Stretch = { label: string; start: number; end: number };
export type Truth = { heard: Stretch[]; seen: Stretch[] };

/** What is heard and what is seen when, the latter by shots. */
export function truthOf({ excerpts, shots }: Pick<ClipPlan, 'excerpts' | 'shots'>): Truth {
  const heard = excerpts.flatMap(({ label, span: [start, end] }) => (label === null ? [] : [{ label, start, end }]));
  const seen = shots.flatMap(({ span: [start, end], label, props }) =>
    [...new Set([label, ...props.map((prop) => prop.label)])].flatMap((name) =>
      name === null ? [] : [{ label: name, start, end }],
    ),
  );
  const byTime = (a: Stretch, b: Stretch): number => a.start - b.start;
  return { heard: heard.sort(byTime), seen: seen.sort(byTime) };
}
