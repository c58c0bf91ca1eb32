/** The plugin for bundlers: what its server gives, what it writes, and which addresses a bundle asks then. That pages work with it is tried in embed-quick.test.ts. Needs `npm run build`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { rollup } from 'rollup';
import * as vite from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import type * as Plugin from '../../sdk/plugin/index.ts';
import { freePort } from '../embed/processes.ts';
import { installPackage, type Project } from './installed.ts';

let project: Project;
let plugin: typeof Plugin;
beforeAll(async () => {
  project = await installPackage({ peers: false });
  plugin = await import(/* @vite-ignore */ pathToFileURL(join(project.packageFolder, 'dist/plugin/index.js')).href);
  await writeFile(
    join(project.folder, 'main.js'),
    "import { createMettle } from 'mettle-edge';\ncreateMettle().catch(failed);\n",
  );
}, 120_000);
afterAll(() => project?.remove());

const at = (path: string) => join(project.folder, path);

/** The first address that a script asks for, once it runs as `source` in a page at `https://site.example/`. */
async function askedBy(script: string, source: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const page = {
      document: { currentScript: { tagName: 'SCRIPT', src: source }, baseURI: 'https://site.example/' },
      location: { href: 'https://site.example/' },
      failed: reject,
      fetch(url: unknown) {
        resolve(String(url));
        return new Promise(() => {});
      },
      ...{ URL, AbortController, AbortSignal, Request, Headers, performance, console, setTimeout, clearTimeout },
    };
    runInContext(script, createContext(page));
  });
}

describe('a server of Vite', () => {
  let server: vite.ViteDevServer;
  let url: string;
  beforeAll(async () => {
    const headers = { 'Cross-Origin-Embedder-Policy': 'require-corp' };
    server = await vite.createServer({
      root: project.folder,
      base: '/sub/',
      configFile: false,
      logLevel: 'error',
      optimizeDeps: { noDiscovery: true },
      server: { port: await freePort(), strictPort: true, headers, ws: false },
      plugins: [plugin.vite({ models: ['toybox-ave'] })],
    });
    await server.listen();
    url = `${server.resolvedUrls!.local[0]}mettle/`;
  });
  afterAll(() => server?.close());

  test.for([
    ['decode-worker.js', 'text/javascript'],
    ['runtime/ort.wasm.min.mjs', 'text/javascript'],
    ['runtime/ort-wasm-simd-threaded.wasm', 'application/wasm'],
    ['models/registry.json', 'application/json'],
    ['models/adapters/toybox-ave/clip.stored8.onnx', 'application/octet-stream'],
  ])('gives %s as %s, with its own headers', async ([path, type]) => {
    const response = await fetch(url + path);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
    expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get('content-length')));
  });

  test('has the models that were chosen, and no file of elsewhere', async () => {
    const registry = await fetch(`${url}models/registry.json`);
    expect(Object.keys((await registry.json()) as object).sort()).toEqual(['nano', 'toybox-ave']);
    expect((await fetch(`${url}..%2fpackage.json`)).headers.get('content-type')).not.toBe('application/json');
    expect((await fetch(`${url}models/adapters/toybox-s4/manifest.json`)).ok).toBe(false);
  });
});

describe('what is built', () => {
  const models = ['toybox-ave'];

  test.for([
    [undefined, 'https://cdn.example/js/mettle/models/registry.json'],
    ['/assets', 'https://site.example/assets/mettle/models/registry.json'],
  ] as const)('by esbuild with publicPath %s, asks there', async ([publicPath, address]) => {
    const outfile = at(`esbuild-${publicPath ? 'public' : 'beside'}/main.js`);
    const options = { absWorkingDir: project.folder, entryPoints: ['main.js'], bundle: true, outfile, publicPath };
    await build({ ...options, plugins: [plugin.esbuild({ models })] });
    expect(await askedBy(await readFile(outfile, 'utf8'), 'https://cdn.example/js/main.js')).toBe(address);
    await readFile(join(outfile, '../mettle/engine-worker.js'));
  });

  test('by Rollup as a script that is no module, asks beside it', async () => {
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const plugins = [nodeResolve({ browser: true }), plugin.rollup({ models, path: 'files/mettle' })];
    const bundle = await rollup({ input: at('main.js'), plugins });
    const { output } = await bundle.write({ dir: at('rollup'), format: 'iife' });
    const [{ code }] = output;
    const address = await askedBy(code, 'https://cdn.example/js/main.js');
    expect(address).toBe('https://cdn.example/js/files/mettle/models/registry.json');
    expect(output.map(({ fileName }) => fileName)).toContain('files/mettle/decode-worker.js');
  });

  test('by webpack with publicPath, asks there, and its minifier leaves the files alone', async () => {
    const output = { path: at('webpack'), publicPath: 'https://cdn.example/x/' };
    const { entry, mode } = { entry: at('main.js'), mode: 'production' as const };
    const config = { context: project.folder, entry, mode, output, plugins: [plugin.webpack({ models })] };
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
      webpack(config, (error, stats) => (error ? reject(error) : resolve(stats))),
    );
    expect(stats!.toJson({ all: false, errors: true }).errors).toEqual([]);
    const script = await readFile(at('webpack/main.js'), 'utf8');
    const address = await askedBy(script, 'https://site.example/main.js');
    expect(address).toBe('https://cdn.example/x/mettle/models/registry.json');
    const written = await readFile(at('webpack/mettle/decode-worker.js'));
    expect(written.equals(await readFile(join(project.packageFolder, 'dist/page/decode-worker.js')))).toBe(true);
  });
});

test.for([
  [{ path: '../elsewhere' }, /options\.path/],
  [{ path: '/mettle' }, /options\.path/],
  [{ models: 'nano' }, /options\.models/],
  [{ model: ['nano'] }, /Did you mean "models"/],
] as const)('refuses %j', ([options, message]) => {
  for (const form of [plugin.vite, plugin.rollup, plugin.esbuild, plugin.webpack, plugin.rspack]) {
    expect(() => form(options as never)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    expect(() => form(options as never)).toThrow(message);
  }
});
