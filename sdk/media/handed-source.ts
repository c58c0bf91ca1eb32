/**
 * What a caller has, in a form that can be handed to another thread: an absolute URL, a file, or arrays. Elements, frames of the browser and canvases are read here, in
 * the thread that they live in; nothing is decoded.
 */
import { resolveUrl } from '#bytes';
import type { ClipSource, HandedFrame, HandedRawClip, RawClip } from '../contract/clip.ts';
import { anything, checkOptions, list, nested, type Rules, required } from '../contract/options.ts';
import { MettleError } from '../errors.ts';

const audioRules: Rules<NonNullable<RawClip['audio']>> = { channels: required(list), sampleRate: anything };
/** Names and kinds; what the arrays hold is checked where they are read. */
const rawRules: Rules<RawClip> = { frames: list, frameRate: anything, audio: nested(audioRules) };

/** Ready to be sent; what is in `transfer` may be given away. */
export type HandedSource = { source: string | Blob | HandedRawClip; name: string; transfer: Transferable[] };

/** Throws `invalid-argument` for what is no source, and `signal.reason`. */
export async function handOver(source: ClipSource, signal?: AbortSignal): Promise<HandedSource> {
  signal?.throwIfAborted();
  if (typeof source === 'string' || source instanceof URL) return handAddress(String(source));
  if (source instanceof Blob) return isPicture(source) ? await handPicture(source) : handBlob(source);
  if (isVideoElement(source)) return await handElement(source, signal);
  if (isRawClip(source)) return await handRaw(source);
  throw new MettleError(
    'invalid-argument',
    `source is ${source === null ? 'null' : typeof source}; expected a Blob, a URL, a string, a video element, or { frames, frameRate, audio }.`,
    { hint: 'Wrap bytes of a file as new Blob([bytes]).' },
  );
}

function handAddress(address: string): HandedSource {
  return { source: resolveUrl(address).href, name: address, transfer: [] };
}

function handBlob(blob: Blob): HandedSource {
  const name = 'name' in blob && typeof blob.name === 'string' ? `"${blob.name}"` : 'the Blob';
  return { source: blob, name, transfer: [] };
}

/** A picture that a browser can draw is a clip of one second without sound. Elsewhere it is a file like others, and no medium. */
const isPicture = ({ type }: Blob): boolean => type.startsWith('image/') && typeof createImageBitmap === 'function';

async function handPicture(blob: Blob): Promise<HandedSource> {
  const { name } = handBlob(blob);
  const frame = await createImageBitmap(blob).catch((cause: unknown) => {
    throw new MettleError('not-media', `${name} is no picture that this browser can draw.`, {
      hint: 'Save it as PNG or JPEG.',
      cause,
    });
  });
  return { source: { frames: [frame], frameRate: 1 }, name, transfer: [frame] };
}

/** The file behind the element is read, not what it happens to show: the element neither plays nor seeks. */
async function handElement(element: HTMLVideoElement, signal: AbortSignal | undefined): Promise<HandedSource> {
  const address = element.currentSrc || element.src;
  const hint = 'Give the file itself (a Blob or URL), or frames and audio as arrays.';
  if (element.srcObject || !address) {
    throw new MettleError(
      'invalid-argument',
      `The video element plays ${element.srcObject ? 'a live stream' : 'nothing'}; expected one whose src is a file.`,
      { hint },
    );
  }
  if (!address.startsWith('blob:')) return handAddress(address);
  try {
    // biome-ignore lint/style/noRestrictedGlobals: what lies behind a blob: address is only known to the page that made it.
    return handBlob(await (await fetch(address, { signal })).blob());
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MettleError(
      'invalid-argument',
      'The video element plays a MediaSource or a revoked blob; expected one whose src can be read.',
      { hint, cause },
    );
  }
}

/** Arrays are the caller's and are copied when they are sent; what the browser holds is given away as a copy of its own. */
async function handRaw(raw: RawClip): Promise<HandedSource> {
  checkOptions(raw, rawRules, 'source');
  const { frames, frameRate, audio } = raw;
  const handed: HandedFrame[] = [];
  const transfer: Transferable[] = [];
  for (const [index, frame] of (frames ?? []).entries()) {
    const own = await handFrame(frame).catch((cause: unknown) => {
      throw new MettleError('invalid-argument', `source.frames[${index}] cannot be read: ${(cause as Error).message}`, {
        hint: 'Give frames that were not closed, canvases with pixels, or arrays.',
        cause,
      });
    });
    handed.push(own);
    if (isKind(own, 'VideoFrame') || isKind(own, 'ImageBitmap')) transfer.push(own as Transferable);
  }
  return { source: { frames: frames && handed, frameRate, audio }, name: 'the raw clip', transfer };
}

async function handFrame(frame: NonNullable<RawClip['frames']>[number]): Promise<HandedFrame> {
  if (isKind(frame, 'VideoFrame')) return (frame as VideoFrame).clone();
  if (isKind(frame, 'ImageBitmap') || isKind(frame, 'HTMLCanvasElement') || isKind(frame, 'OffscreenCanvas')) {
    return await createImageBitmap(frame as ImageBitmapSource);
  }
  return frame as HandedFrame;
}

/** Whether `value` is an instance of a class that the platform may lack. */
export function isKind(
  value: unknown,
  name: 'VideoFrame' | 'ImageBitmap' | 'HTMLCanvasElement' | 'OffscreenCanvas' | 'HTMLVideoElement',
): boolean {
  // biome-ignore lint/style/noRestrictedGlobals: asks whether there is such a class, and uses nothing of it.
  const kind = (globalThis as Record<string, unknown>)[name];
  return typeof kind === 'function' && value instanceof kind;
}

const isVideoElement = (source: unknown): source is HTMLVideoElement => isKind(source, 'HTMLVideoElement');

function isRawClip(source: unknown): source is RawClip {
  return typeof source === 'object' && source !== null && ('frames' in source || 'audio' in source);
}
