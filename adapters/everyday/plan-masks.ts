/** A clip of five seconds with a mask for each: cut-outs beside each other before a photograph, of which one sounds, two do, or none. */

import type { Canvas } from '../../sdk/toybox/canvas.ts';
import { type Dice, diceOf } from '../../sdk/toybox/dice.ts';
import type { Span } from '../../sdk/toybox/types.ts';
import type { Prop, Shot } from './camera.ts';
import type { Excerpt } from './excerpts.ts';
import type { Photo } from './photos.ts';
import {
  type ClipPlan,
  firstOf,
  idOf,
  lookOf,
  type Material,
  noiseUnder,
  openSounds,
  qualityOf,
  viewOf,
} from './plan.ts';
import { other, type Stock, splitOfClip } from './splits.ts';
import { both, heard, seen } from './things.ts';

export const maskSeconds = 5;
const aspect = 4 / 3;
/** In so many clips nothing that is seen sounds; of the others in so many two things do. */
const share = { dark: 0.25, two: 0.25, whole: 0.45, unseenSound: 0.35 };

export async function planMasks(seed: number, index: number, material: Material): Promise<ClipPlan> {
  const { split, ordinal } = splitOfClip(index);
  const stock = material.stocks[split];
  const clipSeed = `${seed}/masks/${index}`;
  const dice = diceOf(`${clipSeed}/props`);
  const first = firstOf(cutLabels(stock, material), `${seed}/masks/${split}`, ordinal);
  const props = pickProps(first, stock, material, dice);
  const grounds = stock.photos.get(other)!;
  const shot: Shot = {
    ...{ span: [0, maskSeconds], photo: dice.pick(grounds), label: null, look: lookOf(dice), props },
    view: { from: viewOf(dice), to: viewOf(dice) },
  };
  const sounds = diceOf(`${clipSeed}/sounds`);
  const excerpts = await openSounds(pickSounds(first, props, sounds), stock, material, diceOf(`${clipSeed}/pieces`));
  const rest = { noise: noiseUnder(excerpts, sounds), quality: qualityOf(sounds) };
  return {
    ...{ id: idOf(split, index), split, seed: clipSeed, seconds: maskSeconds, excerpts, shots: [shot] },
    ...rest,
  };
}

const cutsOf = (label: string, stock: Stock, { isCut }: Material): Photo[] => stock.photos.get(label)!.filter(isCut);

/** What can be heard and cut out. */
const cutLabels = (stock: Stock, material: Material): string[] =>
  both.filter((label) => cutsOf(label, stock, material).length > 0);

/** The first thing and up to two others, from left to right in any order. */
function pickProps(first: string, stock: Stock, material: Material, dice: Dice): Prop[] {
  const others = dice.shuffle(seen.filter((label) => label !== first && cutsOf(label, stock, material).length > 0));
  const labels = dice.shuffle([first, ...others.slice(0, dice.pick([0, 1, 1, 2]))]);
  return labels.map((label, i): Prop => {
    const height = dice.between(0.35, [0.9, 0.75, 0.6][labels.length - 1]!);
    const slot = aspect / labels.length;
    return {
      ...{ photo: dice.pick(cutsOf(label, stock, material)), label, height, look: lookOf(dice) },
      x: (i + 0.5) * slot + dice.between(-0.12, 0.12),
      y: dice.between(0.42, 0.65),
      drift: [dice.between(-0.03, 0.03), dice.between(-0.015, 0.015)],
    };
  });
}

function pickSounds(first: string, props: readonly Prop[], dice: Dice) {
  const level = (): number => dice.between(-28, -12);
  const wanted: { label: string | null; span: Span; level: number }[] = [];
  const dark = dice.chance(share.dark);
  if (!dark) {
    wanted.push({ label: first, span: someSeconds(dice), level: level() });
    const second = props.find(({ label }) => label !== first && both.includes(label!));
    if (second && dice.chance(share.two)) wanted.push({ label: second.label, span: someSeconds(dice), level: level() });
  }
  if (dice.chance(dark ? 0.8 : share.unseenSound)) {
    const unseen = heard.filter((label) => props.every((prop) => prop.label !== label));
    const label = dice.chance(0.6) ? dice.pick(unseen) : null;
    wanted.push({ label, span: someSeconds(dice), level: dark ? level() : dice.between(-36, -22) });
  }
  return wanted;
}

/** From one whole second to another. */
function someSeconds(dice: Dice): Span {
  if (dice.chance(share.whole)) return [0, maskSeconds];
  const length = dice.whole(2, maskSeconds - 1);
  const start = dice.whole(0, maskSeconds - length);
  return [start, start + length];
}

/** 255 where a pixel is of a thing that sounds for half of this second or more. `canvas` is what is seen in it. */
export function maskOf(
  { excerpts, shots }: Pick<ClipPlan, 'excerpts' | 'shots'>,
  { owner }: Canvas,
  second: number,
): Uint8Array {
  const covered = ({ span }: Excerpt): number => Math.min(span[1], second + 1) - Math.max(span[0], second);
  const sounding = new Set(excerpts.filter((excerpt) => covered(excerpt) >= 0.5).map(({ label }) => label));
  const { props } = shots[0]!;
  return owner.map((number) => (number > 0 && sounding.has(props[number - 1]!.label) ? 255 : 0));
}
