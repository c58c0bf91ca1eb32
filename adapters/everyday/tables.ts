/** The tables of composed folders, as `mettle train` reads them, and who is to be credited for what went into the clips. */
import { cardOf } from './card.ts';
import type { Note } from './clip-files.ts';
import type { Stretch } from './plan.ts';
import { writeRows } from './rows.ts';
import { both, heard, seen } from './things.ts';

/** A folder of clips: `ave` for `localize`, `llp` for `parse`, `avs` for `segment`. */
export type World = 'ave' | 'llp' | 'avs';

const filmOf = ({ id }: Note): string => `clips/${id}.webm`;

/** Text by file name. */
export function tablesOf(world: World, notes: readonly Note[]): Record<string, string> {
  const rows = notes.flatMap((note) => {
    const events = eventsOf(world, note).map(({ start, end, label, modality }) => [
      filmOf(note),
      start.toFixed(3),
      end.toFixed(3),
      label,
      modality,
    ]);
    return events.length > 0 ? events : [[filmOf(note), '', '', '', '']];
  });
  const classes = world === 'ave' ? both : [...new Set([...heard, ...seen])];
  return {
    'events.csv': writeRows(['file', 'onset', 'offset', 'label', 'modality'], rows),
    'splits.csv': writeRows(
      ['file', 'split'],
      notes.map((note) => [filmOf(note), note.split]),
    ),
    ...(world === 'avs' ? {} : { 'classes.txt': classes.map((label) => `${label}\n`).join('') }),
    'attribution.csv': creditsOf(notes),
    'card.md': cardOf(world, notes),
  };
}

type Event = Stretch & { modality: 'audio' | 'visual' | 'audio-visual' };

/** Of `localize` what is both heard and seen, of `parse` either, of masks what is heard and seen too, which they need not. */
function eventsOf(world: World, note: Note): Event[] {
  if (world === 'llp') {
    return [
      ...note.heard.map((stretch): Event => ({ ...stretch, modality: 'audio' })),
      ...note.seen.map((stretch): Event => ({ ...stretch, modality: 'visual' })),
    ];
  }
  const met = note.heard.flatMap(({ label, start, end }) =>
    note.seen.flatMap((shown): Event[] => {
      const [from, to] = [Math.max(start, shown.start), Math.min(end, shown.end)];
      return shown.label === label && to - from >= 0.1
        ? [{ label, start: from, end: to, modality: 'audio-visual' }]
        : [];
    }),
  );
  return met.sort((a, b) => a.start - b.start);
}

/** Each recording and photograph that was used, once. */
function creditsOf(notes: readonly Note[]): string {
  const rows = new Map<string, string[]>();
  for (const { split, used } of notes) {
    for (const { kind, name, author, licence, source, series } of used) {
      rows.set(`${kind} ${name}`, [kind, name, author, licence, source, series, split]);
    }
  }
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  return writeRows(['kind', 'name', 'author', 'licence', 'source', 'series', 'split'], sorted);
}
