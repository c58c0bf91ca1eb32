/**
 * `npm run test:embed [names]`: tries every environment of the guide from a packed tarball, installed from the npm registry into an empty folder. Prints a table, and keeps it in
 * results.json when all were tried.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decoder, type Environment, environments } from './environments.ts';
import { CannotInstall, installEnvironment, installedVersions, packTarball } from './install.ts';
import { shellIn } from './processes.ts';
import { type Tried, tryEnvironment } from './try-environment.ts';
import { openBrowser } from './visitor.ts';

type Row = { name: string; title: string; versions: Record<string, string>; skipped?: string; runs: Tried[] };

type Material = { tarball: string; clip: string; expected: string[] };

/** A film of the made-up world, made by the package itself, and what its own command finds in it. */
async function makeMaterial(folder: string): Promise<Material> {
  const tarball = await packTarball(folder);
  const maker = { name: 'maker', title: '', fixtures: [], packages: decoder, runs: [] };
  const installed = await installEnvironment(maker, tarball);
  try {
    const shell = shellIn(installed.folder);
    await shell.run('npx mettle data toybox --out toy --layouts ave --clips 1 --seed 2 --quiet');
    const film = join(installed.folder, 'toy/ave/AVE/toy000000.webm');
    const found = JSON.parse(await shell.run(`npx mettle run ${film} --adapter toybox-ave --json`));
    const clip = join(folder, 'clip.webm');
    await copyFile(film, clip);
    const annotations = await readFile(join(installed.folder, 'toy/ave/Annotations.txt'), 'utf8');
    const label = annotations.split('\n')[1]!.split('&')[0]!;
    type Event = { label: string; start: number; end: number };
    const events: Event[] = found.results[0].events;
    if (!events.some((event) => event.label === label)) throw new Error(`The ${label} of the clip was not found.`);
    return { tarball, clip, expected: events.map(({ label, start, end }) => `${label}: ${start} to ${end} s`) };
  } finally {
    await installed.remove();
  }
}

async function tryOne(environment: Environment, { tarball, ...material }: Material): Promise<Row> {
  const { name, title } = environment;
  try {
    const installed = await installEnvironment(environment, tarball);
    try {
      const versions = await installedVersions(installed.folder, Object.keys(environment.packages ?? {}));
      const runs = await tryEnvironment(environment, { ...installed, ...material }).catch((error: Error) => [
        { run: 'prepare', seconds: 0, events: [], error: error.message },
      ]);
      return { name, title, versions, runs };
    } finally {
      await installed.remove();
    }
  } catch (error) {
    if (!(error instanceof CannotInstall)) throw error;
    return { name, title, versions: {}, skipped: error.message, runs: [] };
  }
}

function print({ title, skipped, runs }: Row): void {
  const line = (run: string, verdict: string, more = '') =>
    console.log(`${title.padEnd(50)} ${run.padEnd(15)} ${verdict.padEnd(8)} ${more}`);
  if (skipped) line('', 'skipped', skipped);
  for (const { run, seconds, error } of runs)
    line(run, error ? 'FAILED' : 'passed', error ?? `${seconds.toFixed(1)} s`);
}

async function chosen(names: readonly string[]): Promise<readonly Environment[]> {
  const unknown = names.find((name) => !environments.some((environment) => environment.name === name));
  if (unknown) throw new Error(`"${unknown}" is none of ${environments.map(({ name }) => name).join(', ')}.`);
  return names.length === 0 ? environments : environments.filter(({ name }) => names.includes(name));
}

async function browserVersion(): Promise<string> {
  const browser = await openBrowser();
  const version = browser.version();
  await browser.close();
  return version;
}

const { positionals } = parseArgs({ allowPositionals: true });
const wanted = await chosen(positionals);
const folder = await mkdtemp(join(tmpdir(), 'mettle-embed-'));
try {
  const material = await makeMaterial(folder);
  const rows: Row[] = [];
  for (const environment of wanted) {
    const row = await tryOne(environment, material);
    print(row);
    rows.push(row);
  }
  if (wanted === environments) {
    const made = {
      node: process.version,
      chromium: await browserVersion(),
      platform: `${process.platform} ${process.arch}`,
    };
    await writeFile(
      new URL('results.json', import.meta.url),
      `${JSON.stringify({ ...made, environments: rows }, null, 2)}\n`,
    );
  }
  if (rows.some(({ runs }) => runs.some(({ error }) => error))) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
