/** Running sources in a real page: the same moments as in Node, a camera and a microphone, frames that are all closed, and what a stream without tracks is told. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMettle, type Mettle, type Moment } from '../../sdk/index.ts';
import { checkEmbeds } from '../helpers/embed-cases.ts';
import { checkAgainstPrefixes } from '../helpers/live-cases.ts';
import { toyStream } from '../helpers/live-toybox.ts';

let mettle: Mettle;
beforeAll(async () => {
  mettle = await createMettle({ adapters: ['toybox-llp', 'toybox-s4'], device: 'wasm' });
});
afterAll(() => mettle.dispose());

test('each moment says what an analysis of all that had come says', async () => {
  await checkAgainstPrefixes(mettle, toyStream(3), [0, 5]);
});

test('embed gives vectors that find the same seconds again', async () => {
  await checkEmbeds(mettle, toyStream(3));
});

/** The browser's made-up camera and microphone. */
const record = (): Promise<MediaStream> => navigator.mediaDevices.getUserMedia({ audio: true, video: true });

const stop = (stream: MediaStream): void => {
  for (const track of stream.getTracks()) track.stop();
};

describe('a MediaStream', () => {
  test('runs at its own pace, on one clock, and ends with its tracks', async () => {
    const stream = await record();
    const moments: Moment[] = [];
    for await (const moment of mettle.watch(stream, { hop: 0.5, tasks: ['parse'] })) {
      moments.push(moment);
      if (moments.length === 4) stop(stream);
    }
    const told = moments.filter(({ last }) => !last);
    expect(moments.at(-1)!.last).toBe(true);
    expect(told.length).toBeGreaterThanOrEqual(4);
    told.forEach(({ index, dropped, start, end, results, warnings }, i) => {
      expect(index).toBe((told[i - 1]?.index ?? -1) + 1 + dropped);
      expect(end - start).toBeCloseTo(0.5, 9);
      expect(results[0]!.warnings).toEqual([]);
      expect(warnings).toEqual([]);
    });
  });

  test('an element that plays it is watched as it is', async () => {
    const stream = await record();
    const video = document.createElement('video');
    video.srcObject = stream;
    for await (const { results } of mettle.watch(video, { tasks: ['parse'] })) {
      expect(results).toHaveLength(1);
      break;
    }
    stop(stream);
  });

  test('without tracks it is refused', async () => {
    await expect(mettle.watch(new MediaStream()).next()).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

test('frames of the browser are closed, whether they were shown to the models or not', async () => {
  const frames: VideoFrame[] = [];
  const bitmap = await createImageBitmap(new ImageData(16, 16));
  const video = new ReadableStream<VideoFrame>({
    pull(controller) {
      if (frames.length === 60) return controller.close();
      const frame = new VideoFrame(bitmap, { timestamp: frames.length * 50_000 });
      frames.push(frame);
      controller.enqueue(frame);
    },
  });
  const moments: Moment[] = [];
  for await (const moment of mettle.watch({ video }, { tasks: ['parse'] })) moments.push(moment);
  expect(moments[0]!.results[0]!.warnings.map(({ code }) => code)).toEqual(['no-audio']);
  // A closed or transferred frame has no format.
  expect(frames.map(({ format }) => format)).toEqual(frames.map(() => null));
});
