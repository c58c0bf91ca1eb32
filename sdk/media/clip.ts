/**
 * Opens a source as a {@link Clip}, in this thread: one time base, one second after the other, the same in a page and in Node. Clip time 0 is the first moment that a
 * player shows (sdk/docs/media.md); before the first frame the first frame is shown.
 */
import { BlobSource, Logging, LogLevel, type Source } from 'mediabunny';
import { sources } from '#bytes';
import { untilAborted } from '../abort.ts';
import { emptySource } from '../contract/bytes.ts';
import type { Clip, ClipSource } from '../contract/clip.ts';
import { openContainer } from './container-clip.ts';
import { type HandedSource, handOver } from './handed-source.ts';
import { asMettleError } from './media-error.ts';
import { openRaw } from './raw-clip.ts';

// What it would print is told as errors and warnings of ours.
Logging.level = LogLevel.Silent;

export type OpenClipOptions = {
  signal?: AbortSignal;
  /** Called for each stretch of bytes of a file that is read. */
  onRead?: (start: number, end: number) => void;
};

/** As `openHanded`, of anything that a caller may have. */
export async function openClip(source: ClipSource, options: OpenClipOptions = {}): Promise<Clip> {
  return await openHanded((await handOver(source, options.signal)).source, options);
}

/**
 * Opens what `handOver` made of a caller's source and reads its header; nothing is decoded yet. Streams are chosen by the container's own marks (default flag, order,
 * bit rate).
 *
 * Throws `not-media`, `empty-media`, `unsupported-codec`, `invalid-argument`, `not-found`, `network`, `missing-package` (Node), or `signal.reason`.
 * `clip.warnings` says what else should be known, and may grow while `segments()` runs.
 */
export async function openHanded(source: HandedSource['source'], options: OpenClipOptions = {}): Promise<Clip> {
  options.signal?.throwIfAborted();
  if (typeof source === 'string') return openLocation(source, options);
  if (source instanceof Blob) return openBlob(source, options);
  return openRaw(source);
}

async function openLocation(location: string, options: OpenClipOptions): Promise<Clip> {
  const { signal } = options;
  try {
    return await openFile(await untilAborted(sources.openSource(location), signal), options);
  } catch (error) {
    signal?.throwIfAborted();
    throw asMettleError(error, 'opening it');
  }
}

async function openBlob(blob: Blob, options: OpenClipOptions): Promise<Clip> {
  if (blob.size === 0) throw emptySource();
  return openFile(new BlobSource(blob), options);
}

function openFile(source: Source, { signal, onRead }: OpenClipOptions): Promise<Clip> {
  if (onRead) source.onread = onRead;
  return openContainer(source, signal);
}
