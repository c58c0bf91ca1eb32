/** Running sources in Node: addresses that FFmpeg reads, and what the caller feeds. */
import type { LiveFeeds, LiveSource } from '../contract/live.ts';
import { MettleError } from '../errors.ts';
import { openAddress } from './live-address.ts';

/** Throws `invalid-argument` for what only a page has. */
export function feedsOf(source: LiveSource): LiveFeeds {
  if (typeof source === 'string' || source instanceof URL) return openAddress(String(source));
  if ('sound' in source || 'frames' in source) return source;
  throw new MettleError('invalid-argument', 'Node has no cameras, elements or tracks; expected { sound, frames }.', {
    hint: 'Give the address of a stream, a path, or async iterables of { time, channels, sampleRate } and { time, frame }.',
  });
}
