/** Opens an item of a dataset as a clip, whether it is one video or extracted frames with a wav file: the rest of the SDK sees no difference. */
import { ALL_FORMATS, AudioSampleSink, BufferSource, Input } from 'mediabunny';
import type { Clip, RawClip } from '../../contract/clip.ts';
import { MettleError } from '../../errors.ts';
import { openClip } from '../../media/clip.ts';
import { demandDecoder } from '../../media/tracks.ts';
import type { DatasetItem } from '../../train/data/types.ts';
import type { DiskFolder } from './folder.ts';
import { readPicture } from './picture.ts';

/**
 * The clip of an item, to be disposed by the caller. Extracted frames are one per second; sound beyond them is cut, and where it ends early silence follows.
 * Throws what `openClip` throws, and `invalid-file` for a broken frame.
 */
export async function openItem(
  folder: DiskFolder,
  item: DatasetItem,
  options: { signal?: AbortSignal } = {},
): Promise<Clip> {
  const { source } = item;
  if (source.kind === 'video') return await openClip(folder.pathOf(source.path), options);
  const frames: NonNullable<RawClip['frames']>[number][] = [];
  for (const path of source.paths) {
    options.signal?.throwIfAborted();
    frames.push(await readPicture(await folder.readBytes(path), path));
  }
  const audio = source.audio === null ? undefined : await readSound(folder, source.audio, frames.length);
  return await openClip({ frames, frameRate: 1, audio }, options);
}

/** All samples, cut or filled with silence to this many seconds, so that sound and frames end together. */
async function readSound(folder: DiskFolder, path: string, seconds: number): Promise<NonNullable<RawClip['audio']>> {
  using input = new Input({ source: new BufferSource(await folder.readBytes(path)), formats: ALL_FORMATS });
  try {
    const track = await input.getPrimaryAudioTrack();
    if (!track) throw new Error('there is no sound in it');
    await demandDecoder(track);
    const sampleRate = await track.getSampleRate();
    const length = Math.round(seconds * sampleRate);
    const channels = Array.from({ length: await track.getNumberOfChannels() }, () => new Float32Array(length));
    let at = 0;
    for await (const sample of new AudioSampleSink(track).samples()) {
      using decoded = sample;
      channels.forEach((channel, planeIndex) => {
        const plane = new Float32Array(decoded.numberOfFrames);
        decoded.copyTo(plane, { planeIndex, format: 'f32-planar' });
        channel.set(plane.subarray(0, Math.max(0, length - at)), Math.min(at, length));
      });
      at += decoded.numberOfFrames;
    }
    return { channels, sampleRate };
  } catch (cause) {
    // The fault of the installation, not of the file.
    if (cause instanceof MettleError && cause.code === 'missing-package') throw cause;
    throw new MettleError('invalid-file', `${path}: the sound cannot be decoded (${(cause as Error).message}).`, {
      cause,
    });
  }
}
