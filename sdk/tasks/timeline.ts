/** How events lie on a timeline: lanes by modality, rows where events overlap. Geometry in seconds; drawing is done elsewhere. */
import { sensesOf } from './silence.ts';
import type { Event, LocalizationResult, ParsedEvent, ParsingResult } from './types.ts';

export type Modality = ParsedEvent['modality'];

export type Lane = {
  modality: Modality;
  /** For people: `Heard`, `Seen`, `Seen and heard`. */
  title: string;
  /** Events by start time. */
  events: Event[];
  /** The same events in rows; within a row none overlaps another. At least one row. */
  rows: Event[][];
};

export const MODALITY_TITLES: Record<Modality, string> = {
  audio: 'Heard',
  visual: 'Seen',
  'audio-visual': 'Seen and heard',
};

/** What an event of localization is known by: both senses, or the only one that decides the adapter's answers. */
export function modalityOf({ scope }: Pick<LocalizationResult, 'scope'>): Modality {
  const [sense, other] = sensesOf(scope);
  return other || !sense ? 'audio-visual' : sense;
}

/** One lane for localization, three for parsing; a lane without events stays, empty. */
export function lanesOf(result: LocalizationResult | ParsingResult): Lane[] {
  if (result.task === 'localize') return [lane(modalityOf(result), result.events)];
  return (['audio', 'visual', 'audio-visual'] as const).map((modality) =>
    lane(
      modality,
      result.events.filter((event) => event.modality === modality),
    ),
  );
}

function lane(modality: Modality, events: readonly Event[]): Lane {
  const sorted = [...events].sort((a, b) => a.start - b.start);
  const rows: Event[][] = [];
  for (const event of sorted) {
    const free = rows.find((row) => row.at(-1)!.end <= event.start);
    if (free) free.push(event);
    else rows.push([event]);
  }
  return { modality, title: MODALITY_TITLES[modality], events: sorted, rows: rows.length ? rows : [[]] };
}
