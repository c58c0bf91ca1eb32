/** The measure of familiarity and the fits of calibration, against numbers known by other means. */
import { describe, expect, test } from 'vitest';
import {
  distanceTo,
  type Measure,
  meanToken,
  measured,
  readMeasure,
  shareBeyond,
  writeMeasure,
} from '../../sdk/engine/familiarity.ts';
import { seededRandom } from '../../sdk/random.ts';
import { fitSense, levelsOf } from '../../sdk/train/silence/fit-measure.ts';
import { calibrationError, fitSigmoid, fitSoftmax } from '../../sdk/train/silence/fit-temperature.ts';

const random = seededRandom('familiarity');
/** Box and Muller's. */
const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Two columns that go together, far apart in scale. */
const rows = (count: number): Float64Array[] =>
  Array.from({ length: count }, () => {
    const [a, b] = [normal(), normal()];
    return Float64Array.of(5 + a, 100 * (0.8 * a + 0.6 * b));
  });

const segment = { reads: ['a0'], outputs: [{ name: 'audioTokens', shape: [1, 2, 2], deliver: 'clip' as const }] };

describe('measure', () => {
  const training = rows(4000);
  const fitted = fitSense(training);

  test('distance is Mahalanobis: 2 on average of what it was fitted to, and by the inverse covariance elsewhere', () => {
    const mean = training.reduce((sum, row) => sum + distanceTo(fitted, row), 0) / training.length;
    // 2 dimensions; a shrinkage of 1 % takes off less than 5 %.
    expect(mean).toBeGreaterThan(1.9);
    expect(mean).toBeLessThan(2.02);
    // Correlation r = 0.8: (1, -1) in deviations has d = 2 / (1 - r) = 10, (1, 1) has 2 / (1 + r) = 1.11; 8 % for shrinking and sampling.
    expect(distanceTo(fitted, [6, -100]) / 10).toBeCloseTo(1, 0.8);
    expect(distanceTo(fitted, [6, 100]) / 1.11).toBeCloseTo(1, 0.8);
  });

  test('familiarity is the share of validation seconds that lie further off', () => {
    const levels = levelsOf(fitted, rows(2000));
    expect([shareBeyond(levels, -1), shareBeyond(levels, 1e9)]).toEqual([1, 0]);
    expect(shareBeyond(levels, Number.NaN)).toBe(0);
    // Chi-squared with 2 degrees of freedom: beyond d lies exp(-d / 2).
    for (const d of [0.5, 2, 6]) expect(shareBeyond(levels, d)).toBeCloseTo(Math.exp(-d / 2), 1);
  });

  test('a sense that the clip lacks has none, nor one that is not measured', () => {
    const measure: Measure = { audio: { ...fitted, levels: levelsOf(fitted, rows(100)) }, visual: null };
    const outputs = { audioTokens: { shape: [1, 2, 2], data: Float32Array.of(4, 10, 6, -10) } };
    expect([...meanToken(outputs.audioTokens.data, 2)]).toEqual([5, 0]);
    const of = (audio: boolean) => [...measured(measure, outputs, { audio, visual: true }).data];
    expect(of(true)[0]).toBeGreaterThan(0.95);
    expect(of(true)[1]).toBe(-1);
    expect(of(false)).toEqual([-1, -1]);
  });

  test('the file gives back what was written, and says what does not fit', () => {
    const measure: Measure = { audio: { ...fitted, levels: levelsOf(fitted, rows(100)) }, visual: null };
    const bytes = writeMeasure(measure);
    expect(readMeasure(bytes, { segment }, 'f')).toEqual(measure);
    const wide = { ...segment, outputs: [{ ...segment.outputs[0]!, shape: [1, 2, 3] }] };
    expect(() => readMeasure(bytes, { segment: wide }, 'f')).toThrow(
      /f: the tensors of "audio" do not fit meta-tokens of width 3/,
    );
    const broken = writeMeasure({ audio: { ...measure.audio!, levels: Float32Array.of(2, 1) }, visual: null });
    expect(() => readMeasure(broken, { segment }, 'f')).toThrow('f: "audio/levels" do not ascend.');
  });

  test('too few seconds are refused', () => {
    expect(() => fitSense(rows(49))).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('calibration', () => {
  test('the temperature that labels were drawn with is found again, of softmax and of sigmoid with bias', () => {
    // Within 0.16, at 4,000 samples.
    const softmaxRows = Array.from({ length: 4000 }, () => {
      const logits = [3 * normal(), 3 * normal(), 0];
      const powers = logits.map((x) => Math.exp(x / 2.5));
      const drawn = random() * powers.reduce((a, b) => a + b);
      const label = [powers[0]!, powers[0]! + powers[1]!].filter((sum) => sum <= drawn).length;
      return { logits, label };
    });
    expect(fitSoftmax(softmaxRows).temperature).toBeCloseTo(2.5, 0.5);
    const sigmoidRows = Array.from({ length: 4000 }, () => {
      const logit = 3 * normal();
      return { logit, right: random() < 1 / (1 + Math.exp(-(logit / 2 - 1))) };
    });
    const { temperature, bias } = fitSigmoid(sigmoidRows, true);
    expect(temperature).toBeCloseTo(2, 0.5);
    expect(bias).toBeCloseTo(-1, 0.5);
  });

  test('expected calibration error: 15 bins, by hand', () => {
    // Ten answers at 0.9, seven right: |9 - 7| / 10.
    const ten = Array.from({ length: 10 }, (_, i) => ({ confidence: 0.9, right: i < 7 }));
    expect(calibrationError(ten)).toBeCloseTo(0.2, 6);
    // Ten more at 0.5, five right, add nothing to the sum.
    const twenty = [...ten, ...Array.from({ length: 10 }, (_, i) => ({ confidence: 0.5, right: i < 5 }))];
    expect(calibrationError(twenty)).toBeCloseTo(0.1, 6);
    expect(calibrationError([])).toBeNull();
  });
});
