/** `mettle assets` of the installed package, and pages that load what it wrote: from their own server, from another origin, and from servers that do not have it. Needs `npm run build`. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumFlags } from '../helpers/chromium-flags.ts';
import { installPackage, type Project } from './installed.ts';

const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);
const film = fileURLToPath(new URL('../fixtures/tiny.webm', import.meta.url));
const models = ['--models', 'toybox-ave'];

let project: Project;
let site: string;
let assets: string;
beforeAll(async () => {
  project = await installPackage({ peers: false });
  site = join(project.folder, 'site');
  assets = join(site, 'mettle');
  const { code, err } = await project.mettle('assets', 'site/mettle', ...models);
  expect([code, err]).toEqual([0, '']);
}, 120_000);
afterAll(() => project?.remove());

describe('mettle assets', () => {
  const listed = async (folder: string) => JSON.parse(await readFile(join(folder, 'assets.json'), 'utf8'));

  test('writes scripts, runtime, the chosen models, and a list that names every file with its digest', async () => {
    const { schema, sdk, runtime, files } = await listed(assets);
    expect({ schema, sdk, runtime }).toEqual({ schema: 1, sdk: expect.stringMatching(/^\d/), runtime: '1.30.0' });
    const entries = await readdir(assets, { recursive: true, withFileTypes: true });
    const present = entries
      .filter((entry) => entry.isFile())
      .map((e) => join(e.parentPath, e.name).slice(assets.length + 1));
    const paths: string[] = files.map(({ path }: { path: string }) => path);
    expect([...paths, 'assets.json'].sort()).toEqual(present.sort());
    for (const { path, bytes, integrity } of files) {
      const content = await readFile(join(assets, path));
      const digest = Buffer.from(await crypto.subtle.digest('SHA-256', content)).toString('base64');
      expect([path, content.byteLength, `sha256-${digest}`]).toEqual([path, bytes, integrity]);
    }
    expect(paths.filter((path) => path.endsWith('.wasm'))).toHaveLength(3);
    const registry = JSON.parse(await readFile(join(assets, 'models/registry.json'), 'utf8'));
    expect(Object.keys(registry)).toEqual(['nano', 'toybox-ave']);
  });

  test('run again writes nothing, or what is missing, or what was asked for anew', async () => {
    const folder = join(project.folder, 'again');
    await cp(assets, folder, { recursive: true });
    expect((await project.mettle('assets', 'again', ...models)).out).toMatch(/unchanged/);
    await rm(join(folder, 'decode-worker.js'));
    expect((await project.mettle('assets', 'again', ...models)).out).toMatch(/written/);
    expect((await project.mettle('assets', 'again', '--models', 'nano')).out).toMatch(/written.*models: nano\n/);
    expect(Object.keys(JSON.parse(await readFile(join(folder, 'models/registry.json'), 'utf8')))).toEqual(['nano']);
    expect((await readdir(project.folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('leaves alone what others wrote', async () => {
    const { code, err } = await project.mettle('assets', 'site', ...models);
    expect([code, err]).toEqual([2, expect.stringMatching(/^mettle: .*did not write.*\nhint: .*site\/mettle\.\n$/)]);
    const folder = join(project.folder, 'mixed');
    await cp(assets, folder, { recursive: true });
    await writeFile(join(folder, 'mine.txt'), 'mine');
    const refused = await project.mettle('assets', 'mixed', '--models', 'nano');
    expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/mine\.txt.*\nhint: .*--force/)]);
    expect(await readFile(join(folder, 'mine.txt'), 'utf8')).toBe('mine');
    expect((await project.mettle('assets', 'mixed', '--models', 'nano', '--force')).code).toBe(0);
    expect(await readdir(folder)).not.toContain('mine.txt');
  });

  test('knows what a misspelt model was meant to be, and writes nothing', async () => {
    const { code, err } = await project.mettle('assets', 'misspelt', '--models', 'toybox-eva');
    expect([code, err]).toEqual([2, expect.stringMatching(/"toybox-eva".*Did you mean "toybox-ave"\?\nhint: /)]);
    expect(await readdir(project.folder)).not.toContain('misspelt');
  });

  test('refuses the runtime of another version', async () => {
    const other = await installPackage({ peers: false, tarball: project.tarball });
    try {
      const fake = join(other.folder, 'node_modules/onnxruntime-web');
      await rm(fake);
      await mkdir(join(fake, 'dist'), { recursive: true });
      await writeFile(
        join(fake, 'package.json'),
        '{ "name": "onnxruntime-web", "version": "1.2.3", "main": "dist/a.js" }',
      );
      await writeFile(join(fake, 'dist/a.js'), '');
      const { code, err } = await other.mettle('assets', 'out');
      expect([code, err]).toEqual([
        2,
        expect.stringMatching(/needs onnxruntime-web 1\.30\.0, but 1\.2\.3 .*\nhint: .*npm install/),
      ]);
    } finally {
      await other.remove();
    }
  });
});

describe.skipIf(!hasBrowser)(`a page${hasBrowser ? '' : ` (skipped: no browser at ${executablePath})`}`, () => {
  let browser: Browser;
  let own: StaticServer;
  let other: StaticServer;
  beforeAll(async () => {
    await writeFile(join(site, 'index.html'), '<!doctype html><title>page</title>');
    await cp(film, join(site, 'film.webm'));
    // As a bundler leaves the front: it knows no address of its own.
    await cp(join(project.packageFolder, 'dist/page/bundled.js'), join(site, 'app.js'));
    own = await startServer(site);
    other = await startServer(site);
    browser = await chromium.launch({ executablePath, args: chromiumFlags });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    own?.close();
    other?.close();
  });

  /** Seconds of the film that a page sees with the front from `front`, or what went wrong. */
  async function analyze(front: string, options: object): Promise<unknown> {
    const page = await browser.newPage();
    await page.goto(`${own.url}/index.html`);
    // As text, because what transforms a test replaces its imports.
    const answer = await page.evaluate(`(async () => {
      const { createMettle } = await import(${JSON.stringify(front)});
      try {
        const mettle = await createMettle({ device: 'wasm', ...${JSON.stringify(options)} });
        const { duration } = await mettle.localize(await (await fetch('/film.webm')).blob());
        await mettle.dispose();
        return duration;
      } catch ({ code, message, hint }) {
        return { code, message, hint };
      }
    })()`);
    await page.close();
    return answer;
  }

  test('finds the folder that it names, on its own server and on another', async () => {
    expect(await analyze('/app.js', { assets: '/mettle/' })).toBe(3.3);
    expect(await analyze('/app.js', { assets: 'mettle', worker: false })).toBe(3.3);
    expect(await analyze('/app.js', { assets: `${other.url}/mettle/` })).toBe(3.3);
  });

  test('needs no name for it where the front comes from it', async () => {
    expect(await analyze('/mettle/index.js', {})).toBe(3.3);
    expect(await analyze(`${other.url}/mettle/index.js`, {})).toBe(3.3);
  });

  test('needs no more of its security policy than the guide says', async () => {
    const guide = await readFile(join(project.packageFolder, 'sdk/docs/csp.md'), 'utf8');
    own.policy = /```\n(default-src .*)\n```/.exec(guide)![1]!;
    expect(await analyze('/app.js', { assets: '/mettle/' })).toBe(3.3);
    own.policy = "script-src 'self'; worker-src 'none'";
    expect(await analyze('/app.js', { assets: '/mettle/' })).toMatchObject({
      code: 'worker-died',
      hint: expect.stringMatching(/worker-src/),
    });
    own.policy = null;
  });

  const help = expect.stringMatching(/npx mettle assets public\/mettle.*assets: "\/mettle\/"/);

  test('is told the command and the option where no folder is named', async () => {
    expect(await analyze('/app.js', {})).toMatchObject({ code: 'not-found', hint: help });
  });

  test.for([
    ['the list of models', /registry\.json/, {}, 'not-found'],
    ['a worker', /engine-worker\.js/, {}, 'worker-died'],
    ['the other worker', /decode-worker\.js/, {}, 'worker-died'],
    ['the script for its own thread', /in-thread\.js/, { worker: false }, 'not-found'],
    ['the script of the runtime', /ort\.wasm\.min\.mjs/, {}, 'device', 'integrity'],
    ['the module of the runtime', /simd-threaded\.mjs/, {}, 'device', 'integrity'],
    ['the WebAssembly of the runtime', /simd-threaded\.wasm/, {}, 'device', 'integrity'],
  ] as const)('is told them where %s is missing, or is a page', async ([, missing, options, code, instead = code]) => {
    own.without(missing, 404);
    expect(await analyze('/app.js', { assets: '/mettle/', ...options })).toMatchObject({ code, hint: help });
    own.without(missing, 200);
    expect(await analyze('/app.js', { assets: '/mettle/', ...options })).toMatchObject({ code: instead, hint: help });
    own.without(null);
  });

  test('is told that the folder is of another version', async () => {
    const worker = join(assets, 'engine-worker.js');
    const code = await readFile(worker, 'utf8');
    await writeFile(worker, code.replaceAll(/(["'`])0\.1\.0\1/g, '"0.0.9"'));
    try {
      expect(await analyze('/app.js', { assets: '/mettle/' })).toMatchObject({
        code: 'worker-died',
        message: expect.stringMatching(/of mettle-edge 0\.0\.9, but the page runs 0\.1\.0/),
        hint: help,
      });
    } finally {
      await writeFile(worker, code);
    }
  });
});

type StaticServer = {
  url: string;
  /** Content security policy that goes with every file. */
  policy: string | null;
  /** From now on what matches is answered with the index page and `status`, as servers of single-page apps do. */
  without(missing: RegExp | null, status?: number): void;
  close(): void;
};

/** Allows every other origin. */
async function startServer(folder: string): Promise<StaticServer> {
  let lost: { missing: RegExp | null; status: number } = { missing: null, status: 404 };
  const server = createServer(async ({ url = '/' }, response) => {
    const isLost = lost.missing?.test(url);
    const path = isLost ? '/index.html' : url;
    const content = await readFile(join(folder, path)).catch(() => null);
    const policy = self.policy && { 'Content-Security-Policy': self.policy };
    const headers = { 'Access-Control-Allow-Origin': '*', 'Content-Type': mediaType(path), ...policy };
    response.writeHead(isLost ? lost.status : content ? 200 : 404, headers).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const self: StaticServer = {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    policy: null,
    without(missing, status = 404) {
      lost = { missing, status };
    },
    close: () => server.close(),
  };
  return self;
}

function mediaType(path: string): string {
  const types = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.wasm': 'application/wasm',
  };
  return types[extname(path) as keyof typeof types] ?? 'application/octet-stream';
}
