/** A toybox clip as a film: VP9 and Opus in WebM. The encoders give the same bytes for the same clip (tried with libvpx and libopus of node-av 5). */
import {
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';
import { seededRandom } from '../../random.ts';
import { createI420 } from '../../toybox/i420.ts';
import type { Renderer } from '../../toybox/render.ts';
import type { Wave } from '../../toybox/synth.ts';
import type { ToyClip } from '../../toybox/types.ts';
import { prepareDecoders } from '../decoder.ts';

/** What a film must know of its clip: how long it is, the seed of the camera's grain, and what of it is to be other than usual. */
export type FilmClip = Pick<ToyClip, 'seconds' | 'seed'> & {
  /** Frames per second, an even number, so that a frame begins at the centre of every second (default: 10). */
  frameRate?: number;
  /** What compression leaves of pictures and sound (default: high). */
  quality?: 'low' | 'medium' | 'high';
};

/** Encodes the pictures of `renderer` (even numbers of pixels) and `sound` (48 kHz). Throws `missing-package` without codecs. */
export async function encodeFilm(clip: FilmClip, renderer: Renderer, sound: Wave): Promise<Uint8Array<ArrayBuffer>> {
  await prepareDecoders();
  const { frameRate = 10, quality = 'high' } = clip;
  const target = new BufferTarget();
  const output = new Output({ format: new WebMOutputFormat(), target });
  const pictures = new VideoSampleSource({
    codec: 'vp9',
    quality: new Quality(quality),
    keyFrameInterval: 2,
    hardwareAcceleration: 'prefer-software',
    latencyMode: 'realtime',
  });
  const track = new AudioSampleSource({ codec: 'opus', quality: new Quality(quality) });
  output.addVideoTrack(pictures, { frameRate });
  output.addAudioTrack(track);
  await output.start();
  const toI420 = createI420(seededRandom(`${clip.seed}/grain`));
  const rate = sound.length / clip.seconds;
  for (let second = 0; second < clip.seconds; second++) {
    for (let index = second * frameRate; index < (second + 1) * frameRate; index++) {
      const canvas = renderer.draw(index / frameRate);
      const sample = new VideoSample(toI420(canvas), {
        format: 'I420',
        codedWidth: canvas.width,
        codedHeight: canvas.height,
        timestamp: index / frameRate,
        duration: 1 / frameRate,
        colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
      });
      await pictures.add(sample);
      sample.close();
    }
    const data = sound.slice(second * rate, (second + 1) * rate);
    const sample = new AudioSample({ data, format: 'f32', numberOfChannels: 1, sampleRate: rate, timestamp: second });
    await track.add(sample);
    sample.close();
  }
  await output.finalize();
  return new Uint8Array(target.buffer!);
}
