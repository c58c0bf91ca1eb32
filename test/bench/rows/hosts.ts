/** The same clip, models and device in a page, in Node, in Deno and in Bun: the package as npm installs it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CreateOptions } from '../../../sdk/index.ts';
import { environments } from '../../embed/environments.ts';
import { CannotInstall, installEnvironment, installedVersions, packTarball } from '../../embed/install.ts';
import { shellIn } from '../../embed/processes.ts';
import { median, ratioOf } from '../measure.ts';
import { rawClip } from '../raw-clip.ts';
import { withPage } from '../renderer.ts';
import type { Figure } from '../results.ts';
import type { Row } from './row.ts';

type Timing = { loadMs: number; times: number[] };
type Create = typeof import('../../../sdk/index.ts').createMettle;
type Plan = { options: CreateOptions; seconds: number; rounds: number };

/** Runs as text wherever there is a `createMettle`: loads, warms up, then times. No names from outside. */
async function clock(createMettle: Create, make: typeof rawClip, plan: Plan): Promise<Timing> {
  const start = performance.now();
  const mettle = await createMettle({ adapters: ['toybox-ave', 'toybox-llp', 'toybox-s4'], ...plan.options });
  const loadMs = performance.now() - start;
  const clip = make(plan.seconds);
  await mettle.analyze(clip);
  const times: number[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const begun = performance.now();
    await mettle.analyze(clip);
    times.push(performance.now() - begun);
  }
  await mettle.dispose();
  return { loadMs, times };
}

const program = (plan: Plan): string => `
import { createMettle } from 'mettle-edge';
globalThis.__name = (own) => own;
const clock = ${clock};
const timing = await clock(createMettle, ${rawClip}, ${JSON.stringify(plan)});
console.log(JSON.stringify(timing));
process.exit();
`;

/** One thread everywhere, so that no host is judged by how it counts cores. */
const onWasm: CreateOptions = { device: 'wasm', threads: 1 };
const programs: { name: string; title: string; command: string; options: CreateOptions }[] = [
  { name: 'node-esm', title: 'Node', command: 'node bench.js', options: onWasm },
  { name: 'deno', title: 'Deno', command: 'deno run -A bench.js', options: onWasm },
  { name: 'bun', title: 'Bun', command: 'bun bench.js', options: onWasm },
  {
    name: 'node-native',
    title: 'Node, onnxruntime-node',
    command: 'node bench.js',
    options: { device: 'cpu', threads: 1 },
  },
];

type Ran = { title: string; timing: Timing; versions: Record<string, string> };

async function inProgram(
  { name, title, command, options }: (typeof programs)[number],
  tarball: string,
  plan: Omit<Plan, 'options'>,
): Promise<Ran> {
  const environment = environments.find((one) => one.name === name)!;
  const installed = await installEnvironment(environment, tarball);
  try {
    await writeFile(join(installed.folder, 'bench.js'), program({ ...plan, options }));
    const out = await shellIn(installed.folder, installed.binaries).run(command);
    const timing = JSON.parse(out.split('\n').find((line) => line.startsWith('{"loadMs"'))!);
    const versions = await installedVersions(installed.folder, Object.keys(environment.packages ?? {}));
    return { title, timing, versions };
  } finally {
    await installed.remove();
  }
}

const inPage = (plan: Omit<Plan, 'options'>): Promise<Ran> =>
  withPage(async (page, { version }) => {
    const timing = await page.evaluate(
      async ({ run, make, whole }) => {
        const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
        const [clockOf, clipOf] = [run, make].map((text) => new Function(`return (${text})`)());
        return await clockOf(createMettle, clipOf, whole);
      },
      {
        run: clock.toString(),
        make: rawClip.toString(),
        // A checkout is not laid out as node_modules is.
        whole: { ...plan, options: { ...onWasm, runtimePath: '/node_modules/onnxruntime-web/dist/' } },
      },
    );
    return { title: 'page', timing, versions: { Chromium: version } };
  });

export const hosts: Row = {
  id: 'hosts',
  title: 'Hosts',
  how:
    'The packed package, installed by npm into an empty folder (the page: the same files from the checkout), on WASM with one thread: a raw clip, nano and three ' +
    'adapters. Steady is milliseconds a second of clip; each host runs all its rounds in a process of its own, one host after the other.',
  async run({ quick, folder }) {
    const plan = quick ? { rounds: 2, seconds: 2 } : { rounds: 10, seconds: 10 };
    const tarball = await packTarball(folder);
    const missing: string[] = [];
    const ran = [await inPage(plan)];
    for (const one of programs) {
      try {
        ran.push(await inProgram(one, tarball, plan));
      } catch (error) {
        if (!(error instanceof CannotInstall)) throw error;
        missing.push(`${one.title}: ${error.message.split('\n')[0]}`);
      }
    }
    const node = ran.find(({ title }) => title === 'Node');
    const figures = ran.flatMap(({ title, timing }): Figure[] => {
      const beside = node &&
        title !== 'Node' && {
          beside: { name: 'in Node', value: median(node.timing.times) / plan.seconds },
          ratio: ratioOf(timing.times, node.timing.times),
        };
      return [
        { what: `${title}: load`, unit: 'ms', here: timing.loadMs },
        { what: `${title}: steady`, unit: 'ms', here: median(timing.times) / plan.seconds, ...beside },
      ];
    });
    return { figures, missing, versions: Object.assign({}, ...ran.map(({ versions }) => versions)) };
  },
};
