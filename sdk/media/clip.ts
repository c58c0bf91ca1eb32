/**
 * Opens whatever the caller has (a Blob, a URL, a path, a video element, arrays) as a {@link Clip}: one time base, one second after the other, the same in a page and in
 * Node. Clip time 0 is the first moment that a player shows (sdk/docs/media.md); before the first frame the first frame is shown.
 */
import { BlobSource } from 'mediabunny';
import { platform } from '#platform';
import { MettleError } from '../errors.ts';
import { openContainer } from './container-clip.ts';
import { asMettleError, emptySource, untilAborted } from './media-error.ts';
import { openRaw } from './raw-clip.ts';
import type { Clip, ClipSource, RawClip } from './types.ts';

export { segmentCount } from './segment-time.ts';

/**
 * Opens `source` and reads its header; nothing is decoded yet. Streams are chosen by the container's own marks (default flag, order, bit rate).
 *
 * Throws `not-media`, `empty-media`, `unsupported-codec`, `invalid-argument`, `not-found`, `network`, `missing-package` (Node), or `signal.reason`.
 * `clip.warnings` says what else should be known, and may grow while `segments()` runs.
 *
 * @example
 * await using clip = await openClip({ audio: { channels: [new Float32Array(44100)], sampleRate: 44100 } });
 * for await (const { start, pcm } of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: 16000 })) console.log(start, pcm.length);
 */
export async function openClip(source: ClipSource, options: { signal?: AbortSignal } = {}): Promise<Clip> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (typeof source === 'string' || source instanceof URL) return openLocation(source, signal);
  if (source instanceof Blob) return openBlob(source, signal);
  if (isVideoElement(source)) return openElement(source, signal);
  if (isRawClip(source)) return openRaw(source);
  throw new MettleError(
    'invalid-argument',
    `source is ${source === null ? 'null' : typeof source}; expected a Blob, a URL, a string, a video element, or { frames, frameRate, audio }.`,
    { hint: 'Wrap bytes of a file as new Blob([bytes]).' },
  );
}

async function openLocation(location: string | URL, signal: AbortSignal | undefined): Promise<Clip> {
  try {
    return await openContainer(await untilAborted(platform.openSource(location), signal), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw asMettleError(error, 'opening it');
  }
}

async function openBlob(blob: Blob, signal: AbortSignal | undefined): Promise<Clip> {
  if (blob.size === 0) throw emptySource();
  return openContainer(new BlobSource(blob), signal);
}

/** The file behind the element is read, not what it happens to show: the element neither plays nor seeks. */
async function openElement(element: HTMLVideoElement, signal: AbortSignal | undefined): Promise<Clip> {
  const address = element.currentSrc || element.src;
  const hint = 'Give openClip() the file itself (a Blob or URL), or frames and audio as arrays.';
  if (element.srcObject || !address) {
    throw new MettleError(
      'invalid-argument',
      `The video element plays ${element.srcObject ? 'a live stream' : 'nothing'}; expected one whose src is a file.`,
      { hint },
    );
  }
  if (!address.startsWith('blob:')) return openLocation(address, signal);
  let blob: Blob;
  try {
    blob = await (await fetch(address, { signal })).blob();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MettleError(
      'invalid-argument',
      'The video element plays a MediaSource or a revoked blob; expected one whose src can be read.',
      { hint, cause },
    );
  }
  return openBlob(blob, signal);
}

function isVideoElement(source: object): source is HTMLVideoElement {
  return typeof HTMLVideoElement !== 'undefined' && source instanceof HTMLVideoElement;
}

function isRawClip(source: unknown): source is RawClip {
  return typeof source === 'object' && source !== null && ('frames' in source || 'audio' in source);
}
