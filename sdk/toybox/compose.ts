/** Composes a clip from a seed: the cast, where everything stands and moves, when it strikes, the room and the light. Plain data; nothing is drawn here. */
import { worldWidth } from './canvas.ts';
import { castClip, hasMasks, type Role, secondsOf } from './cast.ts';
import { type Dice, diceOf } from './dice.ts';
import { toyboxClasses, toyObjects } from './objects/index.ts';
import { type SplitRanges, splitOf, splitRanges, within } from './splits.ts';
import {
  type Actor,
  type Backdrop,
  type Clutter,
  type Occluder,
  type Span,
  TOYBOX_EXACT,
  type ToyboxLayout,
  type ToyClip,
  type ToyObject,
} from './types.ts';

/** Clip number `index` (from 0) of a layout. The same seed and number give the same clip, whatever else is made. */
export function composeClip(seed: number, layout: ToyboxLayout, index: number): ToyClip {
  const { split, ordinal } = splitOf(index);
  const ranges = splitRanges[split];
  const own = `toybox/${seed}/${layout}/${split}/${ordinal}`;
  const dice = diceOf(own);
  // Every class comes once in each dozen clips of a split.
  const dozen = diceOf(`toybox/${seed}/${layout}/${split}/dozen ${Math.floor(ordinal / toyboxClasses.length)}`);
  const label = dozen.shuffle(toyboxClasses)[ordinal % toyboxClasses.length]!;
  const roles = castClip(layout, label, dice);
  const tilt = dice.between(0, 2 * Math.PI);
  const z = dice.between(0.55, 0.85);
  const across = Math.sqrt(1 - z * z);
  return {
    id: nameOf(layout, index),
    layout,
    split,
    seconds: secondsOf(layout),
    begin: isExact(layout) ? diceOf(`${own}/begin`).next() : 0,
    seed: own,
    actors: placeActors(layout, roles, ranges, dice),
    backdrop: composeBackdrop(ranges, dice),
    // More often from above than from below.
    light: { x: across * Math.cos(tilt), y: -Math.abs(across * Math.sin(tilt)), z, warmth: dice.between(-1, 1) },
    room: { seed: own, reverberation: within(ranges.rooms, dice), wet: dice.between(0.15, 0.6) },
    noise: { level: 0.06 * 10 ** (-dice.between(16, 40) / 20), tilt: dice.between(0, 1) },
  };
}

/** Whether films begin inside of seconds. */
const isExact = (layout: ToyboxLayout): boolean => TOYBOX_EXACT.some((name) => name === layout);

/** LLP wants eleven characters, `_start` and `_end`; the others take any name. */
const nameOf = (layout: ToyboxLayout, index: number): string =>
  layout === 'llp' ? `toybox${String(index).padStart(5, '0')}_0_10` : `toy${String(index).padStart(6, '0')}`;

/**
 * Smallest and largest size by the number of things in view, at most four. What is to be masked is filmed from nearer: a frame a second must show which of two
 * like objects sounds.
 */
const sizes: { events: readonly Span[]; masks: readonly Span[] } = {
  events: [
    [0.26, 0.45],
    [0.26, 0.45],
    [0.23, 0.43],
    [0.2, 0.36],
    [0.19, 0.3],
  ],
  masks: [
    [0.45, 0.8],
    [0.45, 0.8],
    [0.36, 0.58],
    [0.3, 0.42],
    [0.26, 0.34],
  ],
};

function placeActors(layout: ToyboxLayout, roles: Role[], ranges: SplitRanges, dice: Dice): Actor[] {
  const visible = roles.filter((role) => role.seen.includes(true));
  const columns = dice.shuffle(visible.map((_, column) => column));
  const step = worldWidth / Math.max(1, visible.length);
  const [least, most] = sizes[hasMasks(layout) ? 'masks' : 'events'][visible.length]!;
  // What is near looks large and sounds loud: both follow from one number.
  return roles.map((role) => {
    const object = toyObjects.get(role.label)!;
    const size = dice.between(least, most);
    const column = columns[visible.indexOf(role)] ?? 0;
    const slack = Math.max(0, step / 2 - size * 0.55);
    const x = step * (column + 0.5) + dice.between(-1, 1) * slack;
    const y = dice.between(size * 0.56, 1 - size * 0.56);
    const inView = role.seen.includes(true);
    const moving = role.seen.map((seen, second) => role.heard[second]! || (seen && role.restless));
    return {
      label: role.label,
      seen: role.seen,
      heard: role.heard,
      moving,
      strokes: planStrokes(object, moving, role.heard, dice),
      place: { x, y, size, angle: dice.between(-0.3, 0.3) },
      drift: {
        x: dice.between(-1, 1) * Math.min(0.06, 0.3 * slack + 0.01),
        y: dice.between(-0.03, 0.03),
        turn: dice.between(-0.12, 0.12),
        grow: dice.between(-0.08, 0.08),
        phase: dice.between(0, 2 * Math.PI),
      },
      look: [dice.next(), dice.next(), dice.next(), dice.next()],
      voice: {
        pitch: within(ranges.pitches, dice),
        gain: 10 ** (dice.between(-5, 5) / 20) * (inView ? (size / 0.3) ** 0.7 : dice.between(0.5, 1.1)),
        muffled: !inView && dice.chance(0.5),
      },
      occluder: inView && dice.chance(0.4) ? composeOccluder(x, y, size, dice) : null,
    };
  });
}

/** Strokes from the begin of each run of seconds that are alike, so that each second that is heard has one. */
function planStrokes(object: ToyObject, moving: boolean[], heard: boolean[], dice: Dice): number[] {
  const pace = dice.between(...object.pace);
  const pattern = object.pattern ?? [1];
  const strokes: number[] = [];
  for (const [start, end] of spansOf(moving.map((on, second) => (on ? 1 + Number(heard[second]) : 0)))) {
    let time = start + dice.between(0.02, 0.1);
    for (let beat = 0; time < end - 0.12; beat++) {
      strokes.push(time);
      time += Math.min(0.85, pace * pattern[beat % pattern.length]! * dice.between(0.97, 1.03));
    }
  }
  return strokes;
}

/** Runs of equal entries other than 0 or false, in seconds. */
export function spansOf(flags: readonly (number | boolean)[]): Span[] {
  const spans: Span[] = [];
  for (let start = 0; start < flags.length; ) {
    let end = start + 1;
    while (end < flags.length && flags[end] === flags[start]) end++;
    if (flags[start]) spans.push([start, end]);
    start = end;
  }
  return spans;
}

/** Covers one side of the object, up to about two fifths of it. */
function composeOccluder(x: number, y: number, size: number, dice: Dice): Occluder {
  const kind = dice.pick(['post', 'plank', 'leaves'] as const);
  const side = dice.chance(0.5) ? 1 : -1;
  const away = side * size * dice.between(0.32, 0.5);
  const low = size * dice.between(0.38, 0.52);
  return {
    kind,
    x: kind === 'plank' ? x : x + away,
    y: kind === 'plank' ? y + low : kind === 'leaves' ? y + low * 0.7 : y,
    size: size * dice.between(0.8, 1.1),
    hue: dice.next(),
  };
}

function composeBackdrop(ranges: SplitRanges, dice: Dice): Backdrop {
  const clutter = Array.from({ length: dice.whole(1, 6) }, (): Clutter => {
    const size = dice.between(0.08, 0.26);
    return {
      kind: dice.pick(['box', 'frame', 'cone', 'vase'] as const),
      x: dice.between(0, worldWidth),
      y: dice.between(0.1, 0.95),
      size,
      hue: dice.next(),
    };
  });
  return {
    kind: dice.pick(ranges.backdrops),
    seed: dice.whole(0, 2 ** 30),
    hue: within(ranges.hues, dice),
    saturation: dice.between(0.08, 0.55),
    brightness: dice.between(0.4, 0.9),
    scale: dice.between(0.7, 1.5),
    clutter,
  };
}
