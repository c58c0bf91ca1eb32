/** Who plays in a clip, and in which seconds each is seen and heard. Where they stand and how they sound is for `compose.ts`. */
import type { Dice } from './dice.ts';
import { toyboxClasses } from './objects/index.ts';
import type { ToyboxLayout } from './types.ts';

/** Flags per second. `restless` behaves as if it sounded while it is silent; a look-alike of a sounding object never does. */
export type Role = { label: string; seen: boolean[]; heard: boolean[]; restless: boolean };

/** Whether the layout asks for masks; the others ask for events. */
export const hasMasks = (layout: ToyboxLayout): boolean => layout.startsWith('avs');

export const secondsOf = (layout: ToyboxLayout): number => (hasMasks(layout) ? 5 : 10);

/** The roles of a clip; `label` is the class of the first one. */
export function castClip(layout: ToyboxLayout, label: string, dice: Dice): Role[] {
  const others = dice.shuffle(toyboxClasses.filter((name) => name !== label));
  switch (layout) {
    case 'ave':
    case 'ave-exact':
      return castEvent(label, others, dice);
    case 'llp':
    case 'llp-exact':
      return castParsing([label, ...others], dice);
    case 'avs-s4':
      return castSingle(label, others, dice);
    case 'avs-ms3':
      return castSeveral([label, ...others], dice);
  }
}

/**
 * One event that is both seen and heard; before and after it the object is mostly there to one sense alone, and others are seen or heard, never both at once.
 * Neither sense suffices: of the seconds in which something is heard, and of those in which something is seen, about a third are no event.
 */
function castEvent(label: string, others: string[], dice: Dice): Role[] {
  const whole = dice.chance(0.1);
  const length = whole ? 10 : dice.whole(3, 7);
  const start = whole ? 0 : dice.whole(0, 10 - length);
  const during = flags(10, start, start + length);
  const role: Role = { label, seen: [...during], heard: [...during], restless: dice.chance(0.5) };
  for (const [from, to] of [
    [0, start],
    [start + length, 10],
  ] as const) {
    const around = dice.pick(['seen', 'seen', 'seen', 'heard', 'heard', 'heard', 'neither'] as const);
    if (around !== 'neither') role[around].fill(true, from, to);
  }
  const roles = [role];
  for (let count = dice.pick([1, 1, 2]); count > 0; count--) {
    const seen = dice.chance(0.5) ? stretch(10, 4, dice) : flags(10, 0, 0);
    const listens = dice.chance(seen.includes(true) ? 0.3 : 1);
    const heard = (listens ? stretch(10, 4, dice) : flags(10, 0, 0)).map((on, second) => on && !seen[second]);
    roles.push({ label: others.pop()!, seen, heard, restless: dice.chance(0.5) });
  }
  return roles;
}

/** One to four objects, each seen and heard in its own seconds. */
function castParsing(labels: string[], dice: Dice): Role[] {
  const count = dice.pick([1, 2, 2, 2, 3, 3, 3, 4]);
  return labels.slice(0, count).map((label) => {
    const one = stretch(10, 2, dice);
    const none = flags(10, 0, 0);
    const restless = dice.chance(0.5);
    switch (dice.pick(['both', 'both', 'apart', 'apart', 'heard', 'seen'] as const)) {
      case 'both':
        return { label, seen: [...one], heard: [...one], restless };
      case 'apart':
        return { label, seen: one, heard: stretch(10, 2, dice), restless };
      case 'heard':
        return { label, seen: none, heard: one, restless };
      case 'seen':
        return { label, seen: one, heard: none, restless };
    }
  });
}

/** One object that sounds throughout, among silent ones. */
function castSingle(label: string, others: string[], dice: Dice): Role[] {
  const always = flags(5, 0, 5);
  const never = flags(5, 0, 0);
  const roles: Role[] = [{ label, seen: always, heard: [...always], restless: false }];
  if (dice.chance(0.3)) roles.push({ label, seen: [...always], heard: never, restless: false });
  if (dice.chance(0.6))
    roles.push({ label: others[0]!, seen: [...always], heard: [...never], restless: dice.chance(0.6) });
  return roles;
}

/** Two or three objects in view that sound by turns or together, sometimes one outside of it. */
function castSeveral(labels: string[], dice: Dice): Role[] {
  const count = dice.pick([2, 2, 3]);
  const roles = labels.slice(0, count).map((label, index): Role => {
    const heard = index > 0 && dice.chance(0.2) ? flags(5, 0, 0) : stretch(5, 2, dice);
    return { label, seen: flags(5, 0, 5), heard, restless: dice.chance(0.5) };
  });
  if (count === 2 && dice.chance(0.25)) {
    roles.push({ label: labels[0]!, seen: flags(5, 0, 5), heard: flags(5, 0, 0), restless: false });
  }
  if (dice.chance(0.25))
    roles.push({ label: labels[count]!, seen: flags(5, 0, 0), heard: stretch(5, 2, dice), restless: false });
  return roles;
}

const flags = (seconds: number, start: number, end: number): boolean[] =>
  Array.from({ length: seconds }, (_, second) => second >= start && second < end);

/** At least `least` seconds anywhere; a quarter of the time all. */
function stretch(seconds: number, least: number, dice: Dice): boolean[] {
  if (dice.chance(0.25)) return flags(seconds, 0, seconds);
  const length = dice.whole(least, seconds - 1);
  const start = dice.whole(0, seconds - length);
  return flags(seconds, start, start + length);
}
