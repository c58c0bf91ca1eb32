/** The benchmarks' figures against what their published evaluation scripts give (../shared/data/golden/metrics.*). */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { elementsOf, readSafetensors, tensorOf, toFloat32 } from '../../sdk/onnx/safetensors.ts';
import { decodeArgmax, decodeGated, LocalizationScore } from '../../sdk/train/metrics/localization.ts';
import { type ParsingFigures, ParsingScore } from '../../sdk/train/metrics/parsing.ts';
import { SegmentationScore } from '../../sdk/train/metrics/segmentation.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

const absent = sharedIsAbsent('golden/metrics.json.gz') || sharedIsAbsent('golden/metrics.safetensors');

type Grid = number[][];
/** `seg` and `ev` hold audio, visual, joint (Event@AV), audio-visual, in this order. */
type Golden = {
  avvp: { a: Grid; v: Grid; ga: Grid; gv: Grid; seg: number[]; ev: number[] }[];
  ave: [gated: number, argmax: number][];
  avs: [mJ: number, mF: number][];
};

describe.skipIf(absent)('published metrics (skipped without ../shared/data/golden)', () => {
  const load = () => ({
    golden: JSON.parse(new TextDecoder().decode(gunzipSync(readShared('golden/metrics.json.gz')))) as Golden,
    file: readSafetensors(readShared('golden/metrics.safetensors')),
  });
  /** Classes by seconds to seconds by classes. */
  const turned = (grid: Grid) => Uint8Array.from(grid[0]!.flatMap((_, second) => grid.map((row) => row[second]!)));

  test('parsing: 50 videos, per second and per event, to 1e-9 percent', () => {
    const { golden } = load();
    const whole = new ParsingScore(25);
    const values = ({ audio, visual, eventAV, audioVisual }: ParsingFigures) => [audio, visual, eventAV, audioVisual];
    for (const { a, v, ga, gv, seg, ev } of golden.avvp) {
      const score = new ParsingScore(25);
      const predicted = { audio: turned(a), visual: turned(v) };
      const truth = { audio: turned(ga), visual: turned(gv) };
      score.add(predicted, truth);
      whole.add(predicted, truth);
      const { segment, event } = score.figures();
      values(segment).forEach((value, index) => expect(value).toBeCloseTo(100 * seg[index]!, 9));
      values(event).forEach((value, index) => expect(value).toBeCloseTo(100 * ev[index]!, 9));
    }
    const mean = (index: number) =>
      golden.avvp.reduce((sum, { ev }) => sum + (100 * ev[index]!) / golden.avvp.length, 0);
    const { event } = whole.figures();
    expect(event.typeAV).toBeCloseTo((mean(0) + mean(1) + mean(3)) / 3, 9);
    expect(event.eventAV).toBeCloseTo(mean(2), 9);
  });

  test('localization: 20 batches, both ways to decode, exactly', () => {
    const { golden, file } = load();
    const event = toFloat32(tensorOf(file, 'ave.event_logit'));
    const classes = toFloat32(tensorOf(file, 'ave.class_logits'));
    const segments = toFloat32(tensorOf(file, 'ave.segment_logits'));
    const target = elementsOf(tensorOf(file, 'ave.target'), 'I32');
    golden.ave.forEach(([gated, argmax], index) => {
      const truth = target.subarray(index * 20, (index + 1) * 20);
      const [byGate, byArgmax] = [new LocalizationScore(), new LocalizationScore()];
      byGate.add(
        decodeGated(
          { shape: [2, 10], data: event.subarray(index * 20, (index + 1) * 20) },
          { shape: [2, 28], data: classes.subarray(index * 56, (index + 1) * 56) },
        ),
        truth,
      );
      byArgmax.add(decodeArgmax({ shape: [20, 29], data: segments.subarray(index * 580, (index + 1) * 580) }), truth);
      expect(byGate.accuracy).toBeCloseTo(gated, 6);
      expect(byArgmax.accuracy).toBeCloseTo(argmax, 6);
    });
    expect(golden.ave.length).toBe(20);
  });

  test('segmentation: 5 batches of 4 pictures, to 1e-6', () => {
    const { golden, file } = load();
    const logits = toFloat32(tensorOf(file, 'avs.logits'));
    const target = tensorOf(file, 'avs.target').bytes;
    const size = 4 * 32 * 32;
    const all = new SegmentationScore({ batchClips: 1 });
    golden.avs.forEach(([mJ, mF], index) => {
      const score = new SegmentationScore();
      const slice = [index * size, (index + 1) * size] as const;
      // Four clips of one picture are the same batch as one clip of four.
      for (let picture = 0; picture < 4; picture++) {
        const [start, end] = [slice[0] + picture * 1024, slice[0] + (picture + 1) * 1024];
        score.addClip(logits.subarray(start, end), target.subarray(start, end), 1024);
      }
      all.addClip(logits.subarray(...slice), target.subarray(...slice), 1024);
      expect(Math.abs(score.figures().mJ - mJ)).toBeLessThan(1e-6);
      expect(Math.abs(score.figures().mF - mF)).toBeLessThan(1e-6);
    });
    const mean = (column: 0 | 1) => golden.avs.reduce((sum, pair) => sum + pair[column] / golden.avs.length, 0);
    expect(Math.abs(all.figures().mJ - mean(0))).toBeLessThan(1e-6);
    expect(Math.abs(all.figures().mF - mean(1))).toBeLessThan(1e-6);
  });
});
