/** A recording in memory, and when it sounds: some are filled up with digital silence, and calls have pauses. */
import { concatenate } from '../../sdk/arrays.ts';
import { openClip } from '../../sdk/media/clip.ts';
import type { Span } from '../../sdk/toybox/types.ts';

/** Hz of everything that is composed. */
export const rate = 48_000;

/** Mono samples at `rate`, and the stretches of them that sound, in seconds. */
export type Sound = { samples: Float32Array; spans: Span[] };

const frameSeconds = 0.05;
/** A frame sounds that is no more than this many decibels below the loudest one, and above the floor. */
const reach = { call: 25, steady: 40 };
const floorDecibels = -70;
/** Pauses shorter than this many seconds belong to the sound: a clock that ticks once a second ticks all the time. */
export const shortestPause = 1.2;
const shortestSound = 0.1;

export async function openSound(path: string, call: boolean): Promise<Sound> {
  await using clip = await openClip(path);
  const seconds: Float32Array[] = [];
  for await (const { pcm } of clip.segments({ frame: { width: 1, height: 1 }, sampleRate: rate })) {
    if (pcm) seconds.push(pcm);
  }
  const samples = concatenate(seconds);
  return { samples, spans: soundingSpans(samples, call) };
}

/** When `samples` at `rate` sound, in seconds; empty where they never do. */
export function soundingSpans(samples: Float32Array, call: boolean): Span[] {
  const levels = frameDecibels(samples);
  const threshold = Math.max(floorDecibels, Math.max(...levels) - (call ? reach.call : reach.steady));
  const spans: [number, number][] = [];
  levels.forEach((level, frame) => {
    if (level < threshold) return;
    const [start, end] = [frame * frameSeconds, (frame + 1) * frameSeconds];
    const last = spans.at(-1);
    if (last && start - last[1] < shortestPause) last[1] = end;
    else spans.push([start, end]);
  });
  return spans.filter(([start, end]) => end - start >= shortestSound - 1e-9);
}

function frameDecibels(samples: Float32Array): number[] {
  const size = frameSeconds * rate;
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, frame) => {
    const end = Math.min(samples.length, (frame + 1) * size);
    let sum = 0;
    for (let i = frame * size; i < end; i++) sum += samples[i]! * samples[i]!;
    return 10 * Math.log10(Math.max(sum / size, 1e-12));
  });
}
