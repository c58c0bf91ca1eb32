/// <reference types="vite/client" />
/** Small films of our own through the real decoders: same numbers in a page and in Node, and broken copies end in a result or a MettleError. */
import { expect, test } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { openClip } from '../../sdk/media/clip.ts';
import expected from '../fixtures/clips.json' with { type: 'json' };
import mp4Url from '../fixtures/tiny.mp4?inline';
import webmUrl from '../fixtures/tiny.webm?inline';
import { summarize, summaryFormat } from '../helpers/clip-summary.ts';
import { closeTo } from '../helpers/clip-tolerance.ts';
import { brokenCopies } from './fuzz.ts';

const load = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());
const films = { 'tiny.webm': webmUrl, 'tiny.mp4': mp4Url } as const;

async function decode(bytes: Uint8Array<ArrayBuffer>): Promise<{ segments: number; warnings: string[] }> {
  const clip = await openClip(new Blob([bytes]));
  try {
    let segments = 0;
    for await (const segment of clip.segments(summaryFormat)) if (segment.index === segments) segments++;
    return { segments, warnings: clip.warnings.map(({ code }) => code) };
  } finally {
    await clip.dispose();
  }
}

test.each(['tiny.webm', 'tiny.mp4'] as const)(
  '%s: frames to the byte, sound within 1e-5, as committed',
  async (name) => {
    closeTo(await summarize(new Blob([await load(films[name])])), expected[name]);
  },
);

test('a film that is cut off is analysed as far as it goes', async () => {
  const bytes = await load(mp4Url);
  const { segments, warnings } = await decode(bytes.slice(0, bytes.length * 0.7));
  expect(segments).toBeGreaterThanOrEqual(2);
  expect(segments).toBeLessThan(expected['tiny.mp4'].segments);
  expect(warnings).toContain('truncated');
});

test.each([
  ['nothing', new Uint8Array(0)],
  ['text', new TextEncoder().encode('<!doctype html><title>404</title>')],
  ['noise', Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31) >> 3)],
])('%s is not media', async (_, bytes) => {
  await expect(decode(bytes)).rejects.toMatchObject({ name: 'MettleError', code: 'not-media' });
});

test('an MP4 without its index is not media', async () => {
  const header = (await load(mp4Url)).slice(0, 32);
  await expect(decode(header)).rejects.toMatchObject({ name: 'MettleError', code: 'not-media' });
});

test('abort ends open and decode with the reason', async () => {
  const blob = new Blob([await load(webmUrl)]);
  await expect(openClip(blob, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop');
  const controller = new AbortController();
  const clip = await openClip(blob);
  const run = async () => {
    for await (const { index } of clip.segments(summaryFormat, controller))
      if (index === 0) controller.abort('halfway');
  };
  await expect(run()).rejects.toBe('halfway');
  await clip.dispose();
  await expect(clip.segments(summaryFormat)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'disposed' });
});

test('two passes over one clip give the same', async () => {
  const clip = await openClip(new Blob([await load(webmUrl)]));
  const pass = async () => {
    const sums: number[] = [];
    for await (const { pcm } of clip.segments(summaryFormat))
      sums.push(pcm!.reduce((sum, value) => sum + Math.abs(value), 0));
    return sums;
  };
  const [one, two] = await Promise.all([pass(), pass()]);
  expect(one).toHaveLength(clip.segmentCount);
  expect(two).toEqual(one);
  await clip.dispose();
});

test.each(['tiny.webm', 'tiny.mp4'] as const)('broken copies of %s end in a result or a MettleError', async (name) => {
  let decoded = 0;
  for (const bytes of brokenCopies(await load(films[name]), 60, 11)) {
    try {
      await decode(bytes as Uint8Array<ArrayBuffer>);
      decoded++;
    } catch (error) {
      expect(error).toBeInstanceOf(MettleError);
      expect(['not-media', 'empty-media', 'unsupported-codec']).toContain((error as MettleError).code);
    }
  }
  expect(decoded).toBeGreaterThan(10);
  expect(decoded).toBeLessThan(60);
});
