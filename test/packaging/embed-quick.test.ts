/** The commonest environments of the guide, as `npm run test:embed` tries all of them, but with what `npm ci` has installed: no registry is asked. Needs `npm run build`. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { environments } from '../embed/environments.ts';
import { type Material, makeMaterial } from '../embed/material.ts';
import { tryEnvironment } from '../embed/try-environment.ts';
import { installPackage, type Project } from './installed.ts';

const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);

let maker: Project;
let material: Material;
beforeAll(async () => {
  maker = await installPackage({ peers: true });
  material = await makeMaterial(maker.folder);
}, 120_000);
afterAll(() => maker?.remove());

/** What each way of running gave; a development server takes longer than a build, and tells little more. */
async function tried(name: string): Promise<{ run: string; error?: string }[]> {
  const environment = environments.find((candidate) => candidate.name === name)!;
  const tools = Object.keys(environment.packages ?? {}).filter((tool) => !tool.startsWith('@mediabunny/'));
  const project = await installPackage({ peers: true, tarball: maker.tarball, tools });
  try {
    const runs = environment.runs.filter(({ name }) => name !== 'dev');
    const all = await tryEnvironment({ ...environment, runs }, { folder: project.folder, ...material });
    return all.map(({ run, error }) => ({ run, ...(error && { error }) }));
  } finally {
    await project.remove();
  }
}

describe('events at the first try', () => {
  test.for(['node-esm', 'node-cjs'])('%s', { timeout: 120_000 }, async (name) => {
    expect(await tried(name)).toEqual([{ run: 'run' }]);
  });

  const pages = [
    ['plain', 'page'],
    ['other-origin', 'page'],
    ['vite-8', 'build'],
    ['vite-8-train', 'build'],
    ['webpack-5', 'build'],
  ] as const;
  describe.skipIf(!hasBrowser)(`in a page${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`, () => {
    test.for(pages)('%s', { timeout: 180_000 }, async ([name, run]) => {
      expect(await tried(name)).toEqual([{ run }]);
    });
  });
});
