/** Films from ten seconds to an hour: that time grows with the length and memory does not, masks included. */
import { join } from 'node:path';
import { hasFfmpeg, makeTestFilm, noFfmpeg } from '../films.ts';
import { answer, apart, builtSdk, computed, timed } from '../measure.ts';
import type { Row } from './row.ts';

const adapters = ['toybox-ave', 'toybox-llp', 'toybox-s4'];

type Measured = { ms: number; cpuMs: number; masks: number; maskMb: number };

async function measure({ path }: { path: string }): Promise<Measured> {
  const { createMettle } = await builtSdk();
  await using mettle = await createMettle({ adapters });
  let [ms, masks, maskMb] = [0, 0, 0];
  const cpuMs = await computed(async () => {
    ms = await timed(async () => {
      const { results } = await mettle.analyze(path);
      for (const result of results) {
        if (result.task !== 'segment') continue;
        masks = result.masks.length;
        maskMb = result.masks.reduce((sum, { data }) => sum + data.byteLength, 0) / 1e6;
      }
    });
  });
  return { ms, cpuMs, masks, maskMb };
}

await answer(import.meta.url, measure);

const named = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;

export const length: Row = {
  id: 'length',
  title: 'Long films',
  how:
    'Films of 320 x 240, 25 frames a second, H.264 and AAC, made by ffmpeg, analysed whole in Node by three adapters, each in a process of its own. The result holds all ' +
    'masks of the film, 16 kB a second. Time is a second of film, beside that of the film of a minute; memory is the most that the process ever held.',
  async run({ quick, folder }) {
    if (!hasFfmpeg()) return { figures: [], missing: [noFfmpeg] };
    const lengths = quick ? [10, 60, 180] : [10, 60, 600, 3600];
    const runs = [];
    for (const seconds of lengths) {
      const path = join(folder, `film-${seconds}.mp4`);
      makeTestFilm(path, { seconds, width: 320, height: 240, frameRate: 25 });
      const run = await apart<Measured>(import.meta.url, { path });
      if (run.value.masks !== seconds) throw new Error(`${seconds} s of film gave ${run.value.masks} masks.`);
      runs.push({ seconds, ...run });
    }
    const base = runs.find(({ seconds }) => seconds === 60)!;
    const figures = runs.flatMap(({ seconds, value, peakMb }) => {
      const [each, first] = [value.ms / seconds, base.value.ms / base.seconds];
      const isBase = seconds === base.seconds;
      return [
        {
          what: `${named(seconds)}, a second of film`,
          unit: 'ms',
          here: each,
          ...(!isBase && { beside: { name: 'of 1 min', value: first }, ratio: each / first }),
          ...(seconds > 60 && { atMost: 1.1 }),
        },
        {
          what: `${named(seconds)}, most memory, ${value.maskMb.toFixed(1)} MB of it masks`,
          unit: 'MB',
          here: peakMb,
          ...(!isBase && { beside: { name: 'of 1 min', value: base.peakMb }, ratio: peakMb / base.peakMb }),
          ...(seconds > 60 && { atMost: 1.2 }),
        },
      ];
    });
    return { figures, missing: quick ? ['longer films: this is a quick run'] : [] };
  },
};
