/** One backbone pass for any number of adapters: three against one, against three passes, and a fourth that comes while calls run. */
import { answer, apart, builtSdk, byTurns, median, ratioOf, timed } from '../measure.ts';
import { rawClip } from '../raw-clip.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

const three = ['toybox-ave', 'toybox-llp', 'toybox-s4'];
const fourth = 'toybox-ms3';

type Request = { device: 'cpu' | 'wasm'; seconds: number; rounds: number };
type Measured = {
  /** Milliseconds a second of clip, round by round. */
  times: Record<'one' | 'three' | 'passes' | 'four', number[]>;
  /** Milliseconds that `load` took while a call ran. */
  load: number;
  /** Milliseconds that the call took in the meantime, and without. */
  call: { meanwhile: number; alone: number };
};

async function measure({ device, seconds, rounds }: Request): Promise<Measured> {
  const { createMettle } = await builtSdk();
  const clip = rawClip(seconds);
  await using one = await createMettle({ adapters: [three[0]!], device });
  await using several = await createMettle({ adapters: three, device });
  const jobs = {
    one: () => one.analyze(clip),
    three: () => several.analyze(clip),
    passes: async () => {
      await several.localize(clip);
      await several.parse(clip);
      await several.segment(clip);
    },
  };
  for (const job of Object.values(jobs)) await job();
  const times = await byTurns(jobs, rounds);
  const alone = median(times.three);
  const running = timed(() => several.analyze(clip, { tasks: ['localize', 'parse', 'segment'] }));
  const load = await timed(() => several.load(fourth));
  const meanwhile = await running;
  await several.analyze(clip);
  const { four } = await byTurns({ four: () => several.analyze(clip) }, rounds);
  return { times: { ...times, four }, load, call: { meanwhile, alone } };
}

await answer(import.meta.url, measure);

export const adapters: Row = {
  id: 'adapters',
  title: 'Adapters',
  how:
    'A raw clip (no decoder), nano, toybox-ave, -llp and -s4 at once, against the first alone and against three calls of one task each; milliseconds a second of ' +
    'clip, calls by turns. Then toybox-ms3 is loaded while a call runs.',
  async run({ quick }) {
    const seconds = quick ? 2 : 10;
    const figures: Figure[] = [];
    for (const device of ['cpu', 'wasm'] as const) {
      const { times, load, call } = (
        await apart<Measured>(import.meta.url, { device, seconds, rounds: quick ? 2 : 15 })
      ).value;
      const each = (name: keyof Measured['times']): number => median(times[name]) / seconds;
      const on = device === 'cpu' ? 'onnxruntime-node' : 'WASM in Node';
      figures.push(
        {
          what: `three adapters against one, ${on}`,
          unit: 'ms',
          here: each('three'),
          beside: { name: 'for one', value: each('one') },
          ratio: ratioOf(times.three, times.one),
        },
        {
          what: `three adapters against three passes, ${on}`,
          unit: 'ms',
          here: each('three'),
          beside: { name: 'in three passes', value: each('passes') },
          ratio: ratioOf(times.three, times.passes),
          atMost: 0.67,
        },
        {
          what: `four adapters against three, ${on}`,
          unit: 'ms',
          here: each('four'),
          beside: { name: 'for three', value: each('three') },
          ratio: each('four') / each('three'),
        },
        { what: `loading a fourth while a call runs, ${on}`, unit: 'ms', here: load },
        {
          what: `that call of ${seconds} s, ${on}`,
          unit: 'ms',
          here: call.meanwhile,
          beside: { name: 'without', value: call.alone },
          ratio: call.meanwhile / call.alone,
        },
      );
    }
    return { figures, missing: [] };
  },
};
