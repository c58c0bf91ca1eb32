/** Mel filter banks: which bins of a spectrum each mel band sums, and with what weights. */
import type { LogMelFrontEnd } from '../contract/manifest.ts';

/** Weights of the bins `first`, `first + 1` and so on; none at all where a band is narrower than the bins lie apart. */
export type MelFilter = { first: number; weights: Float64Array };

type Scale = { toMel(hz: number): number; toHz(mel: number): number };

/**
 * Triangles whose corners lie evenly on a mel scale.
 * `slaney`: straight over Hz, each with an area of one (Slaney, "Auditory Toolbox", technical report 1998-010; what librosa calls `htk=False, norm="slaney"`).
 * `htk`: straight over mel, with a peak of one (what TensorFlow's `linear_to_mel_weight_matrix` makes).
 */
export function melFilters(
  frontEnd: Pick<LogMelFrontEnd, 'sampleRate' | 'fftSize' | 'mels' | 'minHz' | 'maxHz' | 'scale'>,
): MelFilter[] {
  const { sampleRate, fftSize, mels, minHz, maxHz } = frontEnd;
  const scale = scales[frontEnd.scale];
  const bins = fftSize / 2 + 1;
  const low = scale.toMel(minHz);
  const step = (scale.toMel(maxHz) - low) / (mels + 1);
  const corners = Array.from({ length: mels + 2 }, (_, i) => low + i * step);
  return Array.from({ length: mels }, (_, mel) => {
    const three = corners.slice(mel, mel + 3);
    const straightOverHz = frontEnd.scale === 'slaney';
    const [left, middle, right] = (straightOverHz ? three.map(scale.toHz) : three) as [number, number, number];
    const peak = straightOverHz ? 2 / (right - left) : 1;
    const weight = (bin: number) => {
      const hz = (bin * sampleRate) / fftSize;
      const at = straightOverHz ? hz : scale.toMel(hz);
      return peak * Math.max(0, Math.min((at - left) / (middle - left), (right - at) / (right - middle)));
    };
    let first = 0;
    while (first < bins && weight(first) === 0) first++;
    let end = first;
    while (end < bins && weight(end) > 0) end++;
    return { first, weights: Float64Array.from({ length: end - first }, (_, k) => weight(first + k)) };
  });
}

/** Linear below 1000 Hz (15 mel), logarithmic above, a factor of 6.4 in 27 steps. */
const hzPerMel = 200 / 3;
const bendHz = 1000;
const bendMel = bendHz / hzPerMel;
const logStep = Math.log(6.4) / 27;

const scales: Record<LogMelFrontEnd['scale'], Scale> = {
  slaney: {
    toMel: (hz) => (hz < bendHz ? hz / hzPerMel : bendMel + Math.log(hz / bendHz) / logStep),
    toHz: (mel) => (mel < bendMel ? mel * hzPerMel : bendHz * Math.exp(logStep * (mel - bendMel))),
  },
  htk: {
    toMel: (hz) => 1127 * Math.log1p(hz / 700),
    toHz: (mel) => 700 * Math.expm1(mel / 1127),
  },
};
