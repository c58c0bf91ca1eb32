/// <reference types="vite/client" />
/** Films from elsewhere in a page, against the same numbers as in Node; and sources that only a page has. */
import { expect, test } from 'vitest';
import { server } from 'vitest/browser';
import { openClip } from '../../sdk/media/clip.ts';
import expected from '../fixtures/clips.json' with { type: 'json' };
import tinyUrl from '../fixtures/tiny.webm?url';
import { type ClipSummary, summarize } from '../helpers/clip-summary.ts';
import { closeTo } from '../helpers/clip-tolerance.ts';

const summaries = expected as Record<string, ClipSummary>;
const names = Object.keys(summaries).filter((name) => !name.startsWith('tiny.'));

/** The film as a Blob, or null where ../shared/data is absent or Vite may not serve it (`server.fs.allow`). */
async function shared(name: string): Promise<Blob | null> {
  const { pathname } = new URL(`${server.config.root}/../shared/data/clips/${name}`, 'file:///');
  const response = await fetch(`/@fs${pathname}`);
  const found = response.ok && !response.headers.get('content-type')?.startsWith('text/html');
  return found ? response.blob() : null;
}

/** Codecs that Chromium has no decoder for, unless its operating system brings one. */
const missing = /hevc|ac3/;

test.for(names)('%s is decoded as in Node, or its codec is named', async (name, { skip }) => {
  const film = await shared(name);
  if (!film) return skip('../shared/data/clips is absent or not served');
  const wanted = summaries[name]!;
  const got = await summarize(film).catch((error: unknown) => error);
  if (missing.test(`${wanted.video} ${wanted.audio}`) && got instanceof Error) {
    expect(got).toMatchObject({ code: 'unsupported-codec', message: expect.stringMatching(missing) });
  } else closeTo(got as ClipSummary, wanted);
});

test('a video element is read through its source, and keeps its place', async () => {
  const blob = await (await fetch(tinyUrl)).blob();
  const element = document.createElement('video');
  element.src = URL.createObjectURL(blob);
  closeTo(await summarize(element), summaries['tiny.webm']!);
  expect(element.currentTime).toBe(0);
  element.src = new URL(tinyUrl, location.href).href;
  closeTo(await summarize(element), summaries['tiny.webm']!);
});

test('a video element without a file is refused with the fix', async () => {
  const refusal = { name: 'MettleError', code: 'invalid-argument', hint: expect.stringContaining('Blob') };
  const element = document.createElement('video');
  await expect(openClip(element)).rejects.toMatchObject(refusal);
  element.src = URL.createObjectURL(new MediaSource());
  await expect(openClip(element)).rejects.toMatchObject(refusal);
  element.removeAttribute('src');
  element.srcObject = new MediaStream();
  await expect(openClip(element)).rejects.toMatchObject(refusal);
});

test('a URL is fetched; one that leads nowhere is refused', async () => {
  closeTo(await summarize(new URL(tinyUrl, location.href)), summaries['tiny.webm']!);
  await expect(openClip(`${location.origin}/no/such/film.webm`)).rejects.toMatchObject({ name: 'MettleError' });
});
