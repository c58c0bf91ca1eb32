/** Long clips cut into pieces: every second is in one of them, with its own labels. */
import { describe, expect, test } from 'vitest';
import type { DatasetItem } from '../../sdk/train/data/types.ts';
import { cutIntoPieces } from '../../sdk/train/features/pieces.ts';

const item = (seconds: number, labels: DatasetItem['labels']): DatasetItem => ({
  id: 'clip',
  split: 'train',
  seconds,
  source: { kind: 'video', path: 'clip.mp4' },
  labels,
});
const localized = (...seconds: number[]) => ({ task: 'localize' as const, seconds: Int32Array.from(seconds) });

describe('cutIntoPieces', () => {
  test('leaves clips that fit as they are', () => {
    const whole = item(3, localized(0, 1, 2));
    expect(cutIntoPieces([whole], 3)).toEqual([{ ...whole, start: 0 }]);
  });

  test('gives the rest its own length', () => {
    const pieces = cutIntoPieces([item(5, localized(0, 1, 2, 3, 4))], 2);
    expect(pieces.map(({ id, start, seconds }) => [id, start, seconds])).toEqual([
      ['clip from 0 s', 0, 2],
      ['clip from 2 s', 2, 2],
      ['clip from 4 s', 4, 1],
    ]);
    expect(pieces.map(({ labels }) => labels)).toEqual([localized(0, 1), localized(2, 3), localized(4)]);
  });

  test('a piece of parsing has the union of its own seconds, where they are known', () => {
    const audio = Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0]);
    const visual = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 1]);
    const known = cutIntoPieces([item(4, { task: 'parse', clip: Uint8Array.of(1, 1), audio, visual })], 2);
    expect(known.map(({ labels }) => labels)).toEqual([
      { task: 'parse', clip: Uint8Array.of(1, 0), audio: Uint8Array.of(1, 0, 0, 0), visual: new Uint8Array(4) },
      { task: 'parse', clip: Uint8Array.of(0, 1), audio: new Uint8Array(4), visual: Uint8Array.of(0, 0, 0, 1) },
    ]);
    const weak = { task: 'parse' as const, clip: Uint8Array.of(1, 1), audio: null, visual: null };
    expect(cutIntoPieces([item(4, weak)], 2).map(({ labels }) => labels)).toEqual([weak, weak]);
  });

  test('a piece of segmentation without a mask is left out', () => {
    const masks = ['0.png', null, null, null, '4.png'];
    const supervised = masks.map((mask) => mask !== null);
    const pieces = cutIntoPieces([item(5, { task: 'segment', masks, supervised, category: null })], 2);
    expect(pieces.map(({ start, labels }) => [start, labels])).toEqual([
      [0, { task: 'segment', masks: ['0.png', null], supervised: [true, false], category: null }],
      [4, { task: 'segment', masks: ['4.png'], supervised: [true], category: null }],
    ]);
  });
});
