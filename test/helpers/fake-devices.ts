/** A toybox clip as Chromium's made-up camera and microphone, which play it over and over. */
import { mkdir, writeFile } from 'node:fs/promises';
import { encodeWav } from '../../sdk/node/output/wav.ts';
import { createI420 } from '../../sdk/toybox/i420.ts';
import { composeClip, createRenderer, soundtrackOf } from '../../sdk/toybox/index.ts';

const [width, height] = [256, 192];
const frameRate = 10;
const sampleRate = 48_000;

/** Writes both files into `folder`; gives the flags that make Chromium use them, which go after those of `chromium-flags.ts`. */
export async function fakeDevices(folder: string, index: number): Promise<string[]> {
  const clip = composeClip(2, 'llp', index);
  const renderer = createRenderer(clip, width, height);
  const toI420 = createI420(() => 0.5);
  const frames = Array.from({ length: clip.seconds * frameRate }, (_, frame) =>
    Buffer.concat([Buffer.from('FRAME\n'), toI420(renderer.draw(frame / frameRate))]),
  );
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F${frameRate}:1 Ip A1:1 C420jpeg\n`);
  const [camera, microphone] = [`${folder}/camera.y4m`, `${folder}/microphone.wav`];
  await mkdir(folder, { recursive: true });
  await writeFile(camera, Buffer.concat([head, ...frames]));
  await writeFile(microphone, encodeWav(soundtrackOf(clip, sampleRate), sampleRate));
  return [`--use-file-for-fake-video-capture=${camera}`, `--use-file-for-fake-audio-capture=${microphone}`];
}
