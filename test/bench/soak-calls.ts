/**
 * What a soak asks of a Mettle, the same in Node and in a page: it is sent to the page as text, so it uses nothing from outside itself. Each call gives the number of answers
 * that differ from the first one, which should be none.
 */
import type { Mettle, RawClip } from '../../sdk/index.ts';
import type { CreateOptions } from '../../sdk/load.ts';

export type SoakCalls = {
  /** So many analyses, one after another. */
  runs(count: number): Promise<number>;
  /** So many at once. */
  concurrent(count: number): Promise<number>;
  /** So many times another adapter is loaded and unloaded while analyses run. */
  swaps(count: number): Promise<number>;
  /** So many analyses on each of two instances by turns; the second goes afterwards. */
  twoInstances(count: number): Promise<number>;
  dispose(): Promise<void>;
};

/** `spare` is an adapter that is not in `options`. */
export async function openSoak(
  createMettle: (options: CreateOptions) => Promise<Mettle>,
  options: CreateOptions,
  spare: string,
): Promise<SoakCalls> {
  const [width, height, seconds, rate] = [64, 48, 2, 48_000];
  const clip: RawClip = {
    frames: Array.from({ length: seconds }, (_, i) => ({
      width,
      height,
      data: new Uint8Array(width * height * 3).map((_pixel, at) => (at * (i + 3)) % 251),
    })),
    frameRate: 1,
    audio: { channels: [new Float32Array(seconds * rate).map((_, i) => 0.3 * Math.sin(i / 20))], sampleRate: rate },
  };
  const mettle = await createMettle(options);
  const answer = async (of: Mettle): Promise<string> => {
    const { results } = await of.analyze(clip, { unfamiliar: 'show' });
    const known = results.filter(({ adapter }) => adapter !== spare);
    return JSON.stringify(known, (_key, value) => (ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value));
  };
  const first = await answer(mettle);
  const differs = async (of: Mettle): Promise<number> => ((await answer(of)) === first ? 0 : 1);
  return {
    async runs(count) {
      let different = 0;
      for (let run = 0; run < count; run++) different += await differs(mettle);
      return different;
    },
    async concurrent(count) {
      const found = await Promise.all(Array.from({ length: count }, () => differs(mettle)));
      return found.reduce((sum, one) => sum + one, 0);
    },
    async swaps(count) {
      let different = 0;
      for (let swap = 0; swap < count; swap++) {
        const running = [differs(mettle), differs(mettle)];
        await mettle.load(spare);
        running.push(differs(mettle));
        await mettle.unload(spare);
        for (const one of await Promise.all(running)) different += one;
      }
      return different;
    },
    async twoInstances(count) {
      const other = await createMettle(options);
      let different = 0;
      for (let run = 0; run < count; run++) {
        for (const one of await Promise.all([differs(mettle), differs(other)])) different += one;
      }
      await other.dispose();
      return different + (await differs(mettle));
    },
    dispose: () => mettle.dispose(),
  };
}
