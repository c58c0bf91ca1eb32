/**
 * `npm run test:embed [names]`: tries every environment of the guide from a packed tarball, installed from the npm registry into an empty folder. Prints a table, and keeps it
 * in results.json and in the guide.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decoder, type Environment, environments } from './environments.ts';
import { CannotInstall, installEnvironment, installedVersions, packTarball } from './install.ts';
import { type Material, makeMaterial } from './material.ts';
import { type Results, type Row, withTable } from './results.ts';
import { tryEnvironment } from './try-environment.ts';
import { openBrowser } from './visitor.ts';

const resultsFile = new URL('results.json', import.meta.url);
const guideFile = new URL('../../sdk/docs/embed.md', import.meta.url);

type Ready = Material & { tarball: string };

/** The tarball, and a film with what is to be found in it. */
async function makeAll(folder: string): Promise<Ready> {
  const tarball = await packTarball(folder);
  const maker = { name: 'maker', title: '', fixtures: [], packages: decoder, runs: [] };
  const installed = await installEnvironment(maker, tarball);
  try {
    const { clip, expected } = await makeMaterial(installed.folder);
    await copyFile(clip, join(folder, 'clip.webm'));
    return { tarball, clip: join(folder, 'clip.webm'), expected };
  } finally {
    await installed.remove();
  }
}

async function tryOne(environment: Environment, { tarball, ...material }: Ready): Promise<Row> {
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

/** Puts `row` in the place of what an earlier trial of the same environment gave. */
async function keep(row: Row, chromium: string): Promise<void> {
  const kept: Partial<Results> = JSON.parse(await readFile(resultsFile, 'utf8').catch(() => '{}'));
  const rows = new Map((kept.environments ?? []).map((earlier) => [earlier.name, earlier])).set(row.name, row);
  const results: Results = {
    node: process.version,
    chromium,
    platform: `${process.platform} ${process.arch}`,
    environments: environments.flatMap(({ name }) => rows.get(name) ?? []),
  };
  await writeFile(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(guideFile, withTable(await readFile(guideFile, 'utf8'), results));
}

const { positionals } = parseArgs({ allowPositionals: true });
const wanted = await chosen(positionals);
const folder = await mkdtemp(join(tmpdir(), 'mettle-embed-'));
try {
  const material = await makeAll(folder);
  const chromium = await browserVersion();
  const rows: Row[] = [];
  for (const environment of wanted) {
    const row = await tryOne(environment, material);
    print(row);
    rows.push(row);
    await keep(row, chromium);
  }
  if (rows.some(({ runs }) => runs.some(({ error }) => error))) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
