/** Shipped toybox adapters keep silent about worlds that they do not know, in what the public door gives: made-up noise anywhere, real films where they are. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMettle, type Mettle, type RawClip, type TaskResult } from '../../sdk/index.ts';
import { seededRandom } from '../../sdk/random.ts';
import { sharedIsAbsent, sharedPath } from '../helpers/shared.ts';

const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4', 'toybox-ms3'];

let mettle: Mettle;
beforeAll(async () => {
  mettle = await createMettle({ adapters, threads: 1 });
});
afterAll(async () => await mettle.dispose());

/** For each second the confidence of its strongest answer, 0 where there is none; of a mask 1, as none is drawn where nothing is sure. */
function answers(result: TaskResult): number[] {
  if (result.task === 'localize') {
    return result.seconds.map(({ label, probabilities }) => (label === null ? 0 : Math.max(...probabilities)));
  }
  if (result.task === 'segment') return result.masks.map(({ area }) => Number(area > 0));
  return result.seconds.map(({ start }) =>
    Math.max(0, ...result.events.filter((event) => holds(event, start)).map(({ confidence }) => confidence)),
  );
}

/** Borders may lie inside of seconds: an event is of those that it fills by more than a half. */
const holds = ({ start, end }: { start: number; end: number }, second: number): boolean =>
  Math.min(end, second + 1) - Math.max(start, second) > 0.5;

test('noise is unfamiliar, and nothing is said about it', async () => {
  const random = seededRandom('foreign noise');
  const clip: RawClip = {
    frames: Array.from({ length: 3 }, () => ({
      width: 64,
      height: 48,
      data: Uint8Array.from({ length: 64 * 48 * 3 }, () => 256 * random()),
    })),
    frameRate: 1,
    audio: { channels: [Float32Array.from({ length: 96_000 }, () => 0.2 * (random() - 0.5))], sampleRate: 32_000 },
  };
  const { results } = await mettle.analyze(clip);
  expect(results.map(({ adapter }) => adapter)).toEqual(adapters);
  for (const result of results) {
    expect(answers(result)).toEqual([0, 0, 0]);
    expect(result.scope?.senses).toEqual(['audio', 'visual']);
  }
  const shown = await mettle.analyze(clip, { unfamiliar: 'show' });
  expect(shown.results.map(({ withheld }) => withheld)).toEqual([0, 0, 0, 0]);
});

describe.skipIf(sharedIsAbsent('clips'))('real films (../shared/data/clips)', () => {
  test('at most 5 % of seconds have an answer of 80 % or more, at most 10 % any, by each adapter', async () => {
    const said = new Map(adapters.map((id) => [id, [] as number[]]));
    const films = readdirSync(sharedPath('clips')).filter((name) => /\.(mp4|webm|mkv)$/.test(name));
    expect(films.length).toBeGreaterThan(5);
    for (const name of films) {
      const { results } = await mettle.analyze(sharedPath(`clips/${name}`));
      for (const result of results) said.get(result.adapter)!.push(...answers(result));
    }
    for (const [id, seconds] of said) {
      const share = (least: number): number => seconds.filter((p) => p >= least).length / seconds.length;
      expect({ id, any: share(1e-9) <= 0.1 }).toEqual({ id, any: true });
      expect({ id, sure: share(0.8) <= 0.05 }).toEqual({ id, sure: true });
    }
  }, 300_000);
});
