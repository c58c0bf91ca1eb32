/** Options of `watch`, and what stands where one is left out. */
import { feedsOf } from '#bytes';
import { UNFAMILIAR, type Unfamiliar } from '../contract/familiar.ts';
import type { LiveFeeds, LiveSource } from '../contract/live.ts';
import { checkArgument, flag, number, oneOf, type Rules, record, signal, someOf, text } from '../contract/options.ts';
import { TASKS, type Task } from '../contract/task.ts';
import { MettleError } from '../errors.ts';
import type { Steadiness } from './tracker.ts';

/** What `watch` takes beside the source. */
export type WatchOptions = {
  /** Ends the watch: it throws the signal's reason. */
  signal?: AbortSignal;
  /** Seconds from one moment to the next, 0.25 to 1; default 0.5. Models look at whole seconds, so shorter ones overlap. */
  hop?: number;
  /** Seconds that adapters remember, 1 to 60; default 10. They never see what comes later. */
  context?: number;
  /** Tasks to run. Default: those of all loaded adapters. */
  tasks?: readonly Task[];
  /** As for `analyze`: what becomes of answers about moments that are unlike all that an adapter learned from. Default: `withhold`. */
  unfamiliar?: Unfamiliar;
  /** As for `analyze`: with each moment also where the meta-tokens of each adapter attended. */
  explain?: boolean;
  /** Seconds for which an adapter must have said an event before it begins; default 0.5. */
  begin?: number;
  /** Seconds for which it must not have said it before it ends; default 1. */
  end?: number;
};

/** Seconds; see {@link WatchOptions}. */
export const defaultSteadiness: Steadiness = { begin: 0.5, end: 1 };
/** Seconds that adapters remember. */
export const defaultContext = 10;

const seconds = (least: number, most: number) => number(least, most, 'a number of seconds');

export const watchRules: Rules<WatchOptions> = {
  signal,
  hop: seconds(0.25, 1),
  context: seconds(1, 60),
  tasks: someOf(...TASKS),
  unfamiliar: oneOf(...UNFAMILIAR),
  explain: flag,
  begin: seconds(0, 60),
  end: seconds(0, 60),
};

/** The two streams of a source. Throws `invalid-argument` where there is none. */
export function openFeeds(source: LiveSource): LiveFeeds {
  const expected =
    'a MediaStream, an element that plays, { audio, video } streams, { sound, frames }, or in Node an address';
  checkArgument(source, { expected, fits: (given) => text.fits(given) || record.fits(given) }, 'source');
  const feeds = feedsOf(source);
  for (const name of ['sound', 'frames'] as const) {
    const fits = (feed: unknown) =>
      feed === undefined || typeof (feed as AsyncIterable<unknown>)?.[Symbol.asyncIterator] === 'function';
    checkArgument(feeds[name], { expected: 'an async iterable', fits }, `source.${name}`);
  }
  if (feeds.sound || feeds.frames) return feeds;
  throw new MettleError(
    'invalid-argument',
    'The source gives neither sound nor pictures; expected at least one of them.',
    {
      hint: 'Give { sound, frames }: async iterables of { time, channels, sampleRate } and of { time, frame }.',
    },
  );
}
