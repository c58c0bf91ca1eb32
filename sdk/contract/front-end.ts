/** Which numbers of a sound front end go together. Ranges of single fields are the manifest's business; this is what one field demands of another. */
import type { LogMelFrontEnd } from './manifest.ts';

/** The first field at fault and what it should be, or null. Every field must be a number or a name that its type allows. */
export function logMelFault(frontEnd: LogMelFrontEnd): { field: keyof LogMelFrontEnd; expected: string } | null {
  const { sampleRate, repeat, window, fftSize, minHz, maxHz, frames, mels } = frontEnd;
  const samples = sampleRate * repeat;
  if (!Number.isInteger(Math.log2(fftSize)) || fftSize < 4 || fftSize >= 2 * samples) {
    return { field: 'fftSize', expected: `a power of two from 4 up and below ${2 * samples}` };
  }
  if (window > fftSize) return { field: 'window', expected: `at most ${fftSize}, the fftSize` };
  if (window > samples) return { field: 'window', expected: `at most ${samples}, the samples there are` };
  if (maxHz <= minHz || maxHz > sampleRate / 2) {
    return { field: 'maxHz', expected: `more than minHz and at most ${sampleRate / 2}` };
  }
  const available = availableFrames(frontEnd);
  if (frames > available) return { field: 'frames', expected: `at most ${available}, as the sound has` };
  if (mels > fftSize / 2 + 1) return { field: 'mels', expected: `at most ${fftSize / 2 + 1} for this fftSize` };
  return null;
}

/** Frames that the sound gives, from the first to the last that counts. */
export function availableFrames({
  sampleRate,
  repeat,
  window,
  hop,
  align,
}: Pick<LogMelFrontEnd, 'sampleRate' | 'repeat' | 'window' | 'hop' | 'align'>): number {
  const samples = sampleRate * repeat;
  return 1 + Math.floor((align === 'centre' ? samples : samples - window) / hop);
}
