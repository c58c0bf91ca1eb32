/** What parsing found, with these events and nothing else. */
import type { ParsedEvent, ParsingResult } from '../../sdk/tasks/types.ts';

/** Something that is heard. */
export const heard = (label: string, start: number, end: number, confidence = 0.9): ParsedEvent => ({
  modality: 'audio',
  label,
  classIndex: 0,
  start,
  end,
  resolution: 1,
  confidence,
});

/** In a clip of a minute, unless `more` says otherwise. */
export const parsed = (events: ParsedEvent[], more: Partial<ParsingResult> = {}): ParsingResult => ({
  task: 'parse',
  adapter: 'a',
  duration: 60,
  untrained: false,
  scope: null,
  withheld: 0,
  warnings: [],
  classes: [],
  seconds: [],
  events,
  ...more,
});
