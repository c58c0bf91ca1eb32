/** Searching by vectors: order, senses that are missing, and vectors that cannot be compared. */
import { expect, test } from 'vitest';
import { type EmbeddedSecond, type Embedding, findSimilar } from '../../sdk/tasks/similar.ts';

const turned = (angle: number): Float32Array => Float32Array.of(Math.cos(angle), Math.sin(angle));
const second = (start: number, audio: number | null, visual: number | null): EmbeddedSecond => ({
  start,
  end: start + 1,
  audio: audio === null ? null : turned(audio),
  visual: visual === null ? null : turned(visual),
});
const clip = (...seconds: EmbeddedSecond[]): Embedding => ({ adapter: 'a', duration: 9, seconds, warnings: [] });

const query = second(0, 0, 0);
const clips = [clip(second(0, 1, 1), second(1, 0.1, 2)), clip(second(0, 0.5, null), second(1, null, null))];
const placesOf = (options?: Parameters<typeof findSimilar>[2]) =>
  findSimilar(query, clips, options).map(({ clip, second, similarity }) => [
    clip,
    second,
    Number(similarity.toFixed(4)),
  ]);

test('the most alike first, by both senses or by those that both seconds have', () => {
  expect(placesOf()).toEqual([
    [1, 0, Number(Math.cos(0.5).toFixed(4))],
    [0, 0, Number(Math.cos(1).toFixed(4))],
    [0, 1, Number(((Math.cos(0.1) + Math.cos(2)) / 2).toFixed(4))],
  ]);
  expect(placesOf({ sense: 'audio', top: 1 })).toEqual([[0, 1, Number(Math.cos(0.1).toFixed(4))]]);
  expect(placesOf({ sense: 'visual' }).map(([at]) => at)).toEqual([0, 0]);
});

test('vectors of other adapters match nothing, and what is none is refused', () => {
  expect(findSimilar({ ...query, audio: new Float32Array(3), visual: null }, clips)).toEqual([]);
  expect(() => findSimilar(null as never, clips)).toThrow(/query must be/);
  expect(() => findSimilar(query, {} as never)).toThrow(/clips must be/);
  expect(() => findSimilar(query, clips, { sence: 'audio' } as never)).toThrow(/Did you mean "sense"/);
});
