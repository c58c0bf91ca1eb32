/** The tables of a composed folder: those that `mettle train` reads, and who is to be credited for what went into the clips. */
import type { SoundCredit } from './esc10.ts';
import { type ClipPlan, eventsOf } from './plan.ts';
import { writeRows } from './rows.ts';

export const filmOf = ({ id }: Pick<ClipPlan, 'id'>): string => `clips/${id}.webm`;

/**
 * Text by file name. `modality` is `audio-visual` throughout, which for localization means: it counts. That it is always heard and seldom seen is said by the
 * column `shown`, which readers leave alone, as they do `sound` and `photo`.
 */
export function tablesOf(
  classes: readonly string[],
  plans: readonly ClipPlan[],
  credits: ReadonlyMap<string, SoundCredit>,
): Record<string, string> {
  const events = plans.flatMap((plan) => {
    const rows = eventsOf(plan).map(({ start, end, label, excerpt, shot, shown }) =>
      [filmOf(plan), start.toFixed(3), end.toFixed(3), label, 'audio-visual'].concat(
        excerpt.take.name,
        shot.photo.name,
        shown,
      ),
    );
    return rows.length > 0 ? rows : [[filmOf(plan), '', '', '', '', '', plan.shots[0]!.photo.name, '']];
  });
  return {
    'events.csv': writeRows(['file', 'onset', 'offset', 'label', 'modality', 'sound', 'photo', 'shown'], events),
    'splits.csv': writeRows(
      ['file', 'split'],
      plans.map((plan) => [filmOf(plan), plan.split]),
    ),
    'classes.txt': classes.map((label) => `${label}\n`).join(''),
    'attribution.csv': creditsOf(plans, credits),
  };
}

/** Each take and photograph that was used, once. */
function creditsOf(plans: readonly ClipPlan[], credits: ReadonlyMap<string, SoundCredit>): string {
  const rows = new Map<string, (string | number)[]>();
  for (const { split, excerpts, shots } of plans) {
    for (const { take } of excerpts) {
      const { title = '', author = '', source = '', licence = 'unknown' } = credits.get(take.name) ?? {};
      rows.set(`a ${take.name}`, ['sound', take.name, title, author, source, licence, split]);
    }
    for (const { photo } of shots) {
      rows.set(`b ${photo.name}`, ['photo', photo.name, '', '', photo.source, photo.licence, split]);
    }
  }
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  return writeRows(['kind', 'name', 'title', 'author', 'source', 'licence', 'split'], sorted);
}
