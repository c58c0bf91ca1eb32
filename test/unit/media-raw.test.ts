/** Raw clips: time base, sound on the time line, and what is refused. */
import { expect, test } from 'vitest';
import type { RawClip, RgbImage, Segment } from '../../sdk/contract/clip.ts';
import { segmentCount } from '../../sdk/contract/segment-time.ts';
import { type SoundPiece, secondsOf } from '../../sdk/media/audio-seconds.ts';
import { openClip } from '../../sdk/media/clip.ts';

const format = { frame: { width: 4, height: 4 }, sampleRate: 1000 };
const plain = (value: number, width = 8, height = 6): RgbImage => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(value),
});

async function all(
  raw: RawClip,
  options = format as Parameters<Awaited<ReturnType<typeof openClip>>['segments']>[0],
): Promise<Segment[]> {
  const segments: Segment[] = [];
  const clip = await openClip(raw);
  for await (const segment of clip.segments(options)) segments.push(segment);
  expect(segments).toHaveLength(clip.segmentCount);
  await clip.dispose();
  return segments;
}

test('a tail of a tenth of a second or less is no segment', () => {
  const durations = [0.01, 0.5, 1, 1.1, 1.11, 3.1, 9.99, 10.02, 10.2];
  expect(durations.map(segmentCount)).toEqual([1, 1, 1, 1, 2, 3, 10, 10, 11]);
});

test('a segment shows the frame at its middle; the last one ends with the clip', async () => {
  const frames = Array.from({ length: 26 }, (_, i) => plain(i));
  const segments = await all({ frames, frameRate: 10 });
  expect(segments.map(({ start, end }) => [start, end])).toEqual([
    [0, 1],
    [1, 2],
    [2, 2.6],
  ]);
  expect(segments.map(({ frame }) => frame!.data[0])).toEqual([5, 15, 23]);
  expect(segments[0]!.frame).toMatchObject({ width: 4, height: 4 });
  expect(segments[0]!.pcm).toBeNull();
});

test('thumbnails keep the aspect ratio', async () => {
  const [segment] = await all({ frames: [plain(9, 20, 10)], frameRate: 1 }, { ...format, thumbnailHeight: 5 });
  expect(segment!.thumbnail).toMatchObject({ width: 10, height: 5 });
});

test('ImageData-like frames with alpha are read as RGB', async () => {
  const frame = { width: 1, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 99) } as unknown as ImageData;
  const [segment] = await all({ frames: [frame], frameRate: 1 }, { ...format, frame: { width: 1, height: 1 } });
  expect([...segment!.frame!.data]).toEqual([1, 2, 3]);
});

test('sound is the mean of the channels, exactly one second each, zeros at the end', async () => {
  const channels = [new Float32Array(1500).fill(0.5), new Float32Array(1500).fill(-0.1)];
  const segments = await all({ audio: { channels, sampleRate: 1000 } });
  expect(segments.map(({ pcm }) => pcm!.length)).toEqual([1000, 1000]);
  expect(segments[1]!.pcm![499]).toBeCloseTo(0.2, 6);
  expect(segments[1]!.pcm![500]).toBe(0);
  expect(segments[1]!.frame).toBeNull();
});

test('pieces of sound are placed by their time: before 0 is cut, gaps are silence, jitter is not', async () => {
  const ones = (length: number) => new Float32Array(length).fill(1);
  async function* pieces(): AsyncGenerator<SoundPiece> {
    yield { time: -0.5, sampleRate: 1000, samples: ones(200) };
    yield { time: -0.3, sampleRate: 1000, samples: ones(500) };
    yield { time: 0.21, sampleRate: 1000, samples: ones(100) };
    yield { time: 1.5, sampleRate: 1000, samples: ones(100) };
  }
  const seconds = secondsOf(pieces(), 1000);
  const [first, second, third] = [
    (await seconds.next()).value!,
    (await seconds.next()).value!,
    (await seconds.next()).value!,
  ];
  const runs = (pcm: Float32Array) => [...pcm].flatMap((value, i) => (value !== (pcm[i - 1] ?? 0) ? [i] : []));
  expect(runs(first)).toEqual([0, 300]);
  expect(runs(second)).toEqual([500, 600]);
  expect(runs(third)).toEqual([]);
});

const audio = { channels: [new Float32Array(10)], sampleRate: 1000 };
test.each<[string, RawClip]>([
  ['sampleRate is 0', { audio: { ...audio, sampleRate: 0 } }],
  ['sampleRate is NaN', { audio: { ...audio, sampleRate: Number.NaN } }],
  ['sampleRate is 999', { audio: { ...audio, sampleRate: 999 } }],
  ['sampleRate is 768001', { audio: { ...audio, sampleRate: 768_001 } }],
  ['channels is empty', { audio: { ...audio, channels: [] } }],
  ['channels[0] holds no samples', { audio: { ...audio, channels: [new Float32Array(0)] } }],
  ['channels[1] holds 9 samples', { audio: { ...audio, channels: [new Float32Array(10), new Float32Array(9)] } }],
  ['channels[0][1] is NaN', { audio: { ...audio, channels: [Float32Array.of(0, Number.NaN)] } }],
  ['frameRate is undefined', { frames: [plain(0)] }],
  ['lasts 25 hours; expected at most 24', { frames: Array.from({ length: 25 }, () => plain(0)), frameRate: 1 / 3600 }],
  ['frameRate is -1', { frames: [plain(0)], frameRate: -1 }],
  ['frames[1] is 8 x 5', { frames: [plain(0), plain(0, 8, 5)], frameRate: 1 }],
  ['frames[0].data holds 5', { frames: [{ width: 2, height: 2, data: new Uint8Array(5) }], frameRate: 1 }],
])('refuses raw clips: %s', async (message, raw) => {
  await expect(openClip(raw)).rejects.toMatchObject({
    name: 'MettleError',
    code: 'invalid-argument',
    message: expect.stringContaining(message),
  });
});

test('a whole day is no more than a clip may last', async () => {
  const clip = await openClip({ frames: Array.from({ length: 24 }, () => plain(0)), frameRate: 1 / 3600 });
  expect(clip.segmentCount).toBe(86_400);
  await clip.dispose();
});

test('refuses what is no source, no format, and nothing at all', async () => {
  await expect(openClip(null as unknown as Blob)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(openClip({ frames: [] })).rejects.toMatchObject({ code: 'empty-media' });
  await expect(all({ audio }, { ...format, sampleRate: 0.5 })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('sampleRate'),
  });
});

test('an aborted or disposed clip ends with the reason', async () => {
  await expect(openClip({ audio }, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
  const clip = await openClip({ audio });
  await clip.dispose();
  await expect(clip.segments(format)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'disposed' });
});
