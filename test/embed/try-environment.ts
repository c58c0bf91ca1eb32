/** Tries one environment in a folder where everything is installed, as a user goes along the guide. */
import { copyFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment, Run } from './environments.ts';
import { freePort, type Shell, shellIn } from './processes.ts';
import { type Served, serveFolder } from './static.ts';
import { eventsOnPage, openBrowser } from './visitor.ts';

export const fixturesFolder = fileURLToPath(new URL('fixtures/', import.meta.url));

/** `error` tells why a run gave no events, or others than it should. */
export type Tried = { run: string; seconds: number; events: string[]; error?: string };

export type Place = {
  /** An empty project in which this package and the environment's are installed. */
  folder: string;
  /** A film that the adapter of the fixtures was made for. */
  clip: string;
  /** Lines of events that every environment must show. */
  expected: readonly string[];
  binaries?: readonly string[];
};

/** Runs what the user wrote, in every way that the environment has; a way that fails does not keep the next from being tried. */
export async function tryEnvironment(environment: Environment, place: Place): Promise<Tried[]> {
  const { folder, clip } = place;
  for (const name of environment.fixtures) await cp(join(fixturesFolder, name), folder, { recursive: true });
  await copyFile(clip, join(folder, 'clip.webm'));
  const shell = shellIn(folder, place.binaries);
  for (const command of environment.prepare ?? []) await shell.run(command);
  const tried: Tried[] = [];
  for (const run of environment.runs) {
    const start = performance.now();
    const outcome = await eventsOf(run, shell, place).then(
      (events) => judge(events, place.expected),
      (error: Error) => ({ events: [], error: error.message }),
    );
    tried.push({ run: run.name, seconds: Math.round((performance.now() - start) / 100) / 10, ...outcome });
  }
  return tried;
}

function judge(events: string[], expected: readonly string[]): Pick<Tried, 'events' | 'error'> {
  if ([...new Set(events)].join() === expected.join()) return { events };
  return { events, error: `Expected: ${expected.join('; ')}. There is: ${events.join('; ')}.` };
}

async function eventsOf(run: Run, shell: Shell, { folder, clip }: Place): Promise<string[]> {
  for (const command of run.before ?? []) await shell.run(command);
  if ('program' in run) return (await shell.run(run.program)).trim().split('\n');
  const other = run.otherOrigin ? await serveMirror(folder) : null;
  const browser = await openBrowser(other?.port);
  try {
    return await withServer(run, shell, folder, (url) => eventsOnPage(browser, url, clip));
  } finally {
    await browser.close();
    await other?.close();
  }
}

async function withServer<T>(
  { serve, path = '/' }: Exclude<Run, { program: string }>,
  shell: Shell,
  folder: string,
  visit: (url: string) => Promise<T>,
): Promise<T> {
  if (!serve) {
    const served = await serveFolder(folder);
    return await visit(`http://localhost:${served.port}${path}`).finally(served.close);
  }
  const port = await freePort();
  const url = `http://localhost:${port}${path}`;
  const { stop } = await shell.start(serve(port), url);
  return await visit(url).finally(stop);
}

/** Serves installed packages under addresses such as `/npm/mettle-edge@0.1.0/`, as mirrors of npm do. */
const serveMirror = (folder: string): Promise<Served> =>
  serveFolder(folder, (path) => path.replace(/^\/npm\/([^@/]+)@[^/]+\//, '/node_modules/$1/'));
