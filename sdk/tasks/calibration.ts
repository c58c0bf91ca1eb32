/** Probabilities that mean frequencies: temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017), with a bias where a sigmoid says it. */
import type { AdapterManifest, Sense, Temperature } from '../contract/manifest.ts';

/** Changes nothing. */
export const plain: Temperature = { temperature: 1, bias: 0 };

/** What was fitted for a sense, or for an adapter as a whole. */
export function temperatureOf(calibration: AdapterManifest['calibration'] | undefined, sense?: Sense): Temperature {
  if (!calibration) return plain;
  if ('both' in calibration) return calibration.both;
  return sense ? calibration[sense] : plain;
}

/** Softmax of logits over the temperature. */
export function softmax(logits: ArrayLike<number>, { temperature }: Temperature = plain): number[] {
  const scaled = Array.from(logits, (logit) => logit / temperature);
  const largest = scaled.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = scaled.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Some heads weight their sigmoid and leave the range; at its ends a logit would be infinite. */
const margin = 1e-6;

/** A probability of a sigmoid, 0 to 1, brought through its logit. */
export function calibrated(probability: number, { temperature, bias }: Temperature): number {
  if (temperature === 1 && bias === 0) return Math.min(1, Math.max(0, probability));
  const p = Math.min(1 - margin, Math.max(margin, probability));
  return sigmoid(Math.log(p / (1 - p)) / temperature + bias);
}

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));
