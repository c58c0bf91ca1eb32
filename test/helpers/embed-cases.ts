/** What `embed` promises, the same in Node and in a page. */
import { expect } from 'vitest';
import { type Embedding, findSimilar, type Mettle } from '../../sdk/index.ts';
import type { ToyStream } from './live-toybox.ts';

const lengthOf = (vector: Float32Array | null): number => Math.hypot(...vector!);

/** Vectors of length 1; a second finds itself in the same clip again, also where the other sense is missing. */
export async function checkEmbeds(mettle: Mettle, stream: ToyStream): Promise<Embedding> {
  const whole = await mettle.embed(stream.clip(4));
  expect(whole.seconds.map(({ start, end }) => [start, end])).toEqual([0, 1, 2, 3].map((start) => [start, start + 1]));
  for (const { audio, visual } of whole.seconds) {
    expect(lengthOf(audio)).toBeCloseTo(1, 5);
    expect(lengthOf(visual)).toBeCloseTo(1, 5);
  }
  const { audio } = stream.clip(4);
  const heard = await mettle.embed({ audio: audio! });
  expect(heard.seconds.map(({ visual }) => visual)).toEqual([null, null, null, null]);
  for (const [index, second] of heard.seconds.entries()) {
    const [first] = findSimilar(second, [whole], { sense: 'audio' });
    expect(first).toMatchObject({ clip: 0, second: index });
    expect(first!.similarity).toBeGreaterThan(0.999);
  }
  return whole;
}
