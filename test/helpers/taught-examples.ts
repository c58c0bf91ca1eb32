/** Examples to teach with: takes of two made-up sounds, and of noise. */
import { gaussian, seededRandom } from '../../sdk/random.ts';

/** Hz. */
export const rate = 16_000;
const seconds = 2;

/** Two sounds that anybody tells apart, other pitch and level in each take. */
const sounds: Record<string, (at: number, take: number) => number> = {
  bell: (at, take) => {
    const pitch = 700 + 40 * take;
    const since = at % 1;
    return (
      0.5 *
      Math.exp(-4 * since) *
      (Math.sin(2 * Math.PI * pitch * at) + 0.5 * Math.sin(2 * Math.PI * 2.76 * pitch * at))
    );
  },
  saw: (at, take) => 0.3 * (((at * (90 + 8 * take)) % 1) * 2 - 1) * (0.7 + 0.3 * Math.sin(2 * Math.PI * 7 * at)),
};

/** One take: mono samples at 16 kHz. `nothing` is faint noise. */
export function takeOf(event: string, take: number): Float32Array {
  const random = seededRandom(`${event} ${take}`);
  const sound = sounds[event] ?? (() => 0);
  return Float32Array.from({ length: rate * seconds }, (_, i) => {
    const noise = (event === 'nothing' ? 0.02 + 0.01 * take : 0.004) * gaussian(random);
    return Math.max(-1, Math.min(1, sound(i / rate, take) + noise));
  });
}

/** The events that are taught. */
export const taughtEvents = Object.keys(sounds);

/** As a source for `teach` and `parse`. */
export const takeSource = (event: string, take: number) => ({
  audio: { channels: [takeOf(event, take)], sampleRate: rate },
});
