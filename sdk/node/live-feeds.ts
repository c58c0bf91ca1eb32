/** Running sources in Node: what the caller feeds. */
import type { LiveFeeds, LiveSource } from '../contract/live.ts';
import { MettleError } from '../errors.ts';

/** Throws `invalid-argument` for what only a page has. */
export function feedsOf(source: LiveSource): LiveFeeds {
  if ('sound' in source || 'frames' in source) return source;
  throw new MettleError('invalid-argument', 'Node has no cameras, elements or tracks; expected { sound, frames }.', {
    hint: 'Give async iterables of { time, channels, sampleRate } and { time, frame }.',
  });
}
