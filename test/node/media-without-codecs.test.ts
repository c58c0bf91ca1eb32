/** PNG and PCM need none of the codecs that are an optional package in Node: neither extracted frames with a wav file, as AVSBench has them, nor a wav file alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';
import { openFolder } from '../../sdk/node/data/folder.ts';
import { openItem } from '../../sdk/node/data/open-item.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { encodeWav } from '../../sdk/node/output/wav.ts';
import type { DatasetItem } from '../../sdk/train/data/types.ts';

vi.mock('../../sdk/node/decoder.ts', () => ({
  prepareDecoders: async () => {
    throw new Error('The codecs were asked for.');
  },
}));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/mettle-frames-`);
});
afterAll(() => rmSync(folder, { recursive: true }));

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
  writeFileSync(`${folder}/${path}`, bytes);
}

test('PNG and PCM are read without them', async () => {
  put('a_1.png', encodePng({ width: 2, height: 2, data: new Uint8Array(12).fill(40) }));
  put('a.wav', encodeWav(new Float32Array(16_000).fill(0.5), 16_000));
  const source = { kind: 'frames', paths: ['a_1.png'], audio: 'a.wav' } as const;
  await using clip = await openItem(await openFolder(folder), { source } as unknown as DatasetItem);
  for await (const { frame, pcm } of clip.segments({ frame: { width: 2, height: 2 }, sampleRate: 16_000 })) {
    expect(frame!.data[0]).toBe(40);
    expect(pcm![8000]).toBeCloseTo(0.5, 3);
  }
  expect(clip.segmentCount).toBe(1);
});

test('a wav file opens by its path', async () => {
  put('b.wav', encodeWav(new Float32Array(32_000).fill(-0.25), 16_000));
  await using clip = await openClip(`${folder}/b.wav`);
  expect([clip.duration, clip.audio?.codec]).toEqual([2, 'pcm-s16']);
  for await (const { pcm } of clip.segments({ frame: { width: 2, height: 2 }, sampleRate: 16_000 })) {
    expect(pcm![8000]).toBeCloseTo(-0.25, 3);
  }
});

test('a film asks for them', async () => {
  const film = new URL('../fixtures/tiny.mp4', import.meta.url);
  await expect(openClip(film)).rejects.toThrow('The codecs were asked for.');
});
