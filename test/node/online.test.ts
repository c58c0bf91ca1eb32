/** `eval --online`: what is said of each second at its end, judged beside what is said of the whole, on answers that are written out here. */
import { expect, test } from 'vitest';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import type { AdapterOutputs } from '../../sdk/contract/model.ts';
import type { Engine } from '../../sdk/engine/types.ts';
import { ClipWatch, OnlineScore } from '../../sdk/node/train/online.ts';
import { mettle } from '../helpers/train-place.ts';

const manifest = (task: 'localize' | 'parse'): AdapterManifest =>
  ({ id: 'written', task, classes: ['bell', 'dog'], thresholds: null, scope: null, familiarity: null }) as never;

/** An engine that has an answer for each second, whatever it is shown. */
async function watched(answers: AdapterOutputs[], task: 'localize' | 'parse'): Promise<ClipWatch> {
  const asked: unknown[] = [];
  const engine = {
    beginLive: async (...of: unknown[]) => asked.push(of),
    look: async (_run: number, _segment: unknown, end: number) => ({ written: answers[end - 1] }),
    cancel: async () => {},
  } as unknown as Engine;
  const watch = new ClipWatch(engine, manifest(task), 10);
  const frame = { width: 1, height: 1, data: new Uint8Array(3) };
  for (const _ of answers) await watch.look({ frame, pcm: new Float32Array(1) });
  expect(asked).toEqual([[['written'], 10]]);
  return watch;
}

const rows = (width: number, values: number[]) => ({
  shape: [values.length / width, width],
  data: Float32Array.from(values),
});
/** Logits of bell, dog and background: 9 for the one that is said. */
const saying = (...labels: number[]): AdapterOutputs => ({
  logits: rows(
    3,
    labels.flatMap((label) => [0, 1, 2].map((c) => (c === label ? 9 : 0))),
  ),
});

test('localization: a second that is only understood later is missed online and found offline', async () => {
  const score = new OnlineScore(manifest('localize'), 10);
  // Truth: bell in seconds 1 to 3 of 5. At its end second 1 looked like background.
  const labels = { task: 'localize' as const, seconds: Int32Array.of(2, 0, 0, 0, 2) };
  const watch = await watched(
    [2, 2, 0, 0, 2].map((label) => saying(label)),
    'localize',
  );
  score.add(watch, saying(2, 0, 0, 0, 2), { labels });
  const { published, told, context } = score.figures();
  expect(context).toBe(10);
  for (const { offline, online } of [published, told]) {
    expect(offline.segment.audioVisual).toBe(100);
    expect(offline.eventMean.audioVisual).toBeCloseTo(100, 10);
    // 2 right, 1 missed: F = 4 / 5. The event overlaps by 2 / 3: right up to 0.6, wrong and missed from 0.7 on.
    expect(online.segment.audioVisual).toBeCloseTo(80, 10);
    expect(online.event.audioVisual).toBe(100);
    expect(online.eventMean.audioVisual).toBeCloseTo((100 * 6) / 9, 10);
  }
});

test('parsing: online a class needs the clip so far, and only the senses that are told are judged', async () => {
  const score = new OnlineScore(manifest('parse'), 4);
  // Truth: bell heard in all 4 seconds and seen in the last 2.
  const flags = (seconds: string) => Uint8Array.from([...seconds].flatMap((on) => [Number(on), 0]));
  const labels = { task: 'parse' as const, clip: Uint8Array.of(1, 0), audio: flags('1111'), visual: flags('0011') };
  const said = (audio: number[], audioClip: number[], visual: number[]): AdapterOutputs => {
    const padded = (values: number[]) =>
      rows(
        2,
        values.flatMap((p) => [p, 0]),
      );
    return {
      audio: padded(audio),
      audioClip: padded(audioClip),
      visual: padded(visual),
      visualClip: padded(audio.map(() => 1)),
    };
  };
  // As the clip runs the bell is not in it before second 2: what the second itself says is not enough.
  const looks = [0.2, 0.4, 0.8, 0.9].map((clip, second) => said([0.9], [clip], [second < 2 ? 0 : 1]));
  const seen = (await watched(looks, 'parse')) as ClipWatch;
  const whole = said([0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.9], [0, 0, 1, 1]);
  score.add(seen, whole, { labels });
  const perfect = { audio: 100, visual: 100, audioVisual: 100 };
  for (const { offline, online } of Object.values(score.figures()).filter((part) => typeof part === 'object')) {
    expect(offline.segment).toEqual(perfect);
    // 2 of 4 seconds are heard: F = 2 / 3; one event that overlaps by exactly half.
    expect(online.segment).toEqual({ ...perfect, audio: expect.closeTo(200 / 3, 10) });
    expect(online.event).toEqual(perfect);
    expect(online.eventMean.audio).toBeCloseTo((100 * 5) / 9, 10);
  }
  // Only the union is known of training clips: they do not count.
  score.add(seen, whole, { labels: { ...labels, audio: null } });
  expect(score.figures().told.offline.segment).toEqual(perfect);
});

test('masks have no events, and --context alone means nothing', async () => {
  expect(await mettle(['eval', 'toybox-s4', 'anywhere', '--online'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('Leave --online out'),
  });
  expect(await mettle(['eval', 'toybox-ave', 'anywhere', '--context', '5'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('--context is for --online'),
  });
});
