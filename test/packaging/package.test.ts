/** The tarball: what it holds, and whether a program and a shell can use it once it is installed. Needs `npm run build`. */
import { copyFile, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../sdk/models/catalogue.ts';
import { installPackage, type Project } from './installed.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

let project: Project;
beforeAll(async () => {
  project = await installPackage({ peers: true });
}, 60_000);
afterAll(() => project?.remove());

/** Paths under all conditions. */
function pathsIn(exports: string | object): string[] {
  return typeof exports === 'string' ? [exports] : Object.values(exports).flatMap(pathsIn);
}

describe('the tarball', () => {
  test('holds what it should and nothing else', async () => {
    const places = new Set(project.files.map((path) => path.split('/').slice(0, 2).join('/')));
    expect([...places].sort()).toEqual([
      'LICENSE',
      'README.md',
      'adapters/QUALITY.md',
      'adapters/README.md',
      'adapters/adapters',
      'adapters/backbones',
      'adapters/everyday',
      'adapters/registry.json',
      'dist/cli',
      'dist/node',
      'dist/page',
      'dist/plugin',
      'dist/types',
      'package.json',
      'sdk/contract',
      'sdk/docs',
      'sdk/models',
      'sdk/train',
    ]);
    const kinds = new Set(project.files.map((path) => extname(path.replace(/\.d\.c?ts$/, '.types'))));
    // No source maps, and nothing of the runtime, which comes as a package.
    expect([...kinds].sort()).toEqual(['', '.cjs', '.js', '.json', '.md', '.onnx', '.safetensors', '.types']);
    // Of two backbones; of one, when the toybox is trained again on the second, 15 MB.
    expect((await stat(project.tarball)).size).toBeLessThan(24e6);
  });

  test('every link of a document leads to a file in it', async () => {
    const documents = project.files.filter((path) => path.endsWith('.md'));
    const dead: string[] = [];
    for (const path of documents) {
      const text = await readFile(join(project.packageFolder, path), 'utf8');
      for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(https?:|#)/.test(target!)) continue;
        const place = normalize(join(dirname(path), target!.replace(/#.*$/, ''))).replace(/\/$/, '');
        if (!project.files.some((file) => file === place || file.startsWith(`${place}/`)))
          dead.push(`${path}: ${target}`);
      }
    }
    expect(dead).toEqual([]);
  });

  test('every file that package.json, the registry and the manifests name is there', async () => {
    const read = async (path: string) => JSON.parse(await readFile(join(project.packageFolder, path), 'utf8'));
    const { bin, exports } = await read('package.json');
    const named = [bin.mettle, ...pathsIn(exports).filter((path) => !path.includes('*'))];
    const models = project.files.filter((path) => path.endsWith('/manifest.json'));
    expect(models.length).toBeGreaterThanOrEqual(2);
    for (const manifest of models) {
      const { files } = (await read(manifest)) as { files: { path: string; bytes: number }[] };
      for (const { path, bytes } of files) {
        const place = join(manifest, '..', path);
        named.push(place);
        expect((await stat(join(project.packageFolder, place))).size).toBe(bytes);
      }
    }
    for (const path of named) expect(project.files).toContain(path.replace(/^\.\//, ''));
    expect(await readFile(join(project.packageFolder, bin.mettle), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('scripts for pages import nothing from Node, and nothing by a bare name', async () => {
    const scripts = project.files.filter((path) => /^dist\/page\/[^/]+\.js$/.test(path));
    expect(scripts.length).toBeGreaterThan(1);
    for (const path of scripts) {
      const code = await readFile(join(project.packageFolder, path), 'utf8');
      const imports = [...code.matchAll(/(?:^|[;}\n])(?:import|export)\b[^;"'`()]*["']([^"']+)["']/g)].map(
        ([, id]) => id,
      );
      for (const id of imports) expect(id, path).toMatch(/^\.\//);
      expect(code, path).not.toMatch(/\bimport\(\s*["'](?!\.\/)/);
      // What a bundler takes must ask for no address: it would get one of the machine that built it.
      if (/\/bundled(-\w+)?\.js$/.test(path)) expect(code).not.toContain('import.meta');
    }
  });

  test('no script names a host, but in texts and as the key of a store', async () => {
    const scripts = project.files.filter((path) => /^dist\/.*\.m?js$/.test(path));
    const hosts = new Set<string>();
    for (const path of scripts) {
      const code = await readFile(join(project.packageFolder, path), 'utf8');
      for (const [, host] of code.matchAll(/(?:https?|wss?):\/\/([a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi)) hosts.add(host!);
    }
    // The key of the browser's store, which no network has; what a caller may write; a licence notice; what a help text takes as an example.
    const allowed = ['cache.mettle-edge.invalid', 'huggingface.co', 'mozilla.org', 'mirror.example'];
    // Of published networks, which "mettle backbone add" shows before it asks.
    const shown = catalogue.flatMap(({ url }) => (url === null ? [] : new URL(url).host));
    expect([...hosts].filter((host) => !allowed.includes(host) && !shown.includes(host))).toEqual([]);
  });
});

describe('a program in Node', () => {
  test('imports the package by name and analyzes a film', async () => {
    await copyFile(fixture('tiny.webm'), join(project.folder, 'tiny.webm'));
    await writeFile(
      join(project.folder, 'use.mjs'),
      `import { createMettle, version } from 'mettle-edge';
      const mettle = await createMettle();
      const { duration, results } = await mettle.analyze('tiny.webm');
      await mettle.dispose();
      console.log(JSON.stringify({ version, duration, tasks: [...new Set(results.map(({ task }) => task))], masks: results.find(({ task }) => task === 'segment').masks.length }));`,
    );
    const { code, out, err } = await project.node('use.mjs');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      duration: 3.3,
      tasks: ['localize', 'segment', 'parse'],
      masks: 4,
    });
  });

  test('requires it, in a worker of its own too', async () => {
    await copyFile(fixture('tiny.webm'), join(project.folder, 'tiny.webm'));
    await writeFile(
      join(project.folder, 'use.cjs'),
      `const { isMainThread, Worker } = require('node:worker_threads');
      const { createMettle, MettleError } = require('mettle-edge');
      const { LocalizationScore } = require('mettle-edge/train');
      async function main() {
        const mettle = await createMettle({ adapters: ['toybox-ave'] });
        const { duration } = await mettle.localize('tiny.webm');
        const refused = await mettle.localize('missing.webm').catch((error) => error);
        await mettle.dispose();
        console.log(isMainThread, duration, refused instanceof MettleError, refused.code, typeof LocalizationScore);
        if (isMainThread) new Worker(__filename);
      }
      main();`,
    );
    const { code, out, err } = await project.node('use.cjs');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe('true 3.3 true not-found function\nfalse 3.3 true not-found function\n');
  });

  test('runs the first snippet of the README unchanged', async () => {
    const readme = await readFile(join(project.packageFolder, 'README.md'), 'utf8');
    expect(readme).toMatch(/^npm install mettle-edge/m);
    const [, snippet] = /```js\n([\s\S]*?)```/.exec(readme)!;
    await copyFile(fixture('tiny.mp4'), join(project.folder, 'clip.mp4'));
    await writeFile(join(project.folder, 'snippet.mjs'), snippet!);
    const { code, err } = await project.node('snippet.mjs');
    expect([code, err]).toEqual([0, '']);
  });
});

describe('mettle', () => {
  test('info names device and models', async () => {
    const { code, out, err } = await project.mettle('info', '--json');
    expect([code, err]).toEqual([0, '']);
    const { engine, models } = JSON.parse(out);
    expect(engine.device).toBe('cpu');
    expect(models.map(({ id }: { id: string }) => id)).toContain('nano');
  });

  test('run analyzes a film and writes everything', async () => {
    const out = join(project.folder, 'found');
    const { code, err } = await project.mettle('run', fixture('tiny.webm'), '--out', out);
    expect([code, err]).toEqual([0, '']);
    // A second adapter for masks has a folder of its own.
    const written = (await readdir(out)).filter((name) => !/^masks-\d+$/.test(name));
    expect(written.sort()).toEqual(['events.vtt', 'masks', 'report.html', 'results.json']);
    expect(await readdir(join(out, 'masks'))).toHaveLength(4);
  });

  test('run reads as far as a broken copy goes, and says so', async () => {
    const film = join(project.folder, 'cut.mp4');
    await writeFile(film, (await readFile(fixture('tiny.mp4'))).subarray(0, 30_000));
    const { code, out } = await project.mettle('run', film, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).warnings.map((warning: { code: string }) => warning.code)).toContain('truncated');
  });

  /** A WAVE file without a sample. */
  function silence(): Uint8Array {
    const header = Buffer.alloc(44);
    header.write('RIFF$\0\0\0WAVEfmt ', 0, 'latin1');
    header.set([16, 0, 0, 0, 1, 0, 1, 0], 16);
    header.writeUInt32LE(16_000, 24);
    header.writeUInt32LE(32_000, 28);
    header.set([2, 0, 16, 0], 32);
    header.write('data', 36, 'latin1');
    return header;
  }

  const film = () => readFile(fixture('tiny.webm'));
  const bad: { what: string; name: string; content?: () => Uint8Array | Promise<Uint8Array>; message: RegExp }[] = [
    {
      what: 'no video',
      name: 'a.mp4',
      content: () => Buffer.from('<!doctype html>'),
      message: /no audio or video file/,
    },
    { what: 'an empty file', name: 'b.mp4', content: () => Buffer.alloc(0), message: /0 bytes/ },
    {
      what: 'a file cut off in its header',
      name: 'c.webm',
      content: async () => (await film()).subarray(0, 400),
      message: /./,
    },
    { what: 'a clip of 0 seconds', name: 'd.wav', content: silence, message: /0 seconds/ },
    { what: 'a folder', name: 'node_modules', message: /is a folder/ },
    { what: 'a missing file', name: 'e.mp4', message: /does not exist/ },
  ];
  test.for(bad)('run, given $what, says so in two lines and writes nothing', async ({ name, content, message }) => {
    const folder = await mkdtemp(join(project.folder, 'bad-'));
    if (content) await writeFile(join(project.folder, name), await content());
    const { code, out, err } = await project.mettle('run', name, '--out', join(folder, 'found'));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^mettle: [^\n]+\nhint: [^\n]+\n$/);
    expect(err).toMatch(message);
    expect(await readdir(folder)).toEqual([]);
  });

  test('run refuses an adapter that does not ship and names those that do', async () => {
    const { code, out, err } = await project.mettle(
      'run',
      fixture('tiny.webm'),
      '--adapter',
      'nope',
      '--out',
      'nowhere',
    );
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^mettle: [^\n]*"nope"[^\n]*\nhint: [^\n]*toybox-ave[^\n]*\n$/);
    expect(await readdir(project.folder)).not.toContain('nowhere');
  });
});

describe('without the optional packages', () => {
  test('info works on WASM, and run names what to install', async () => {
    const bare = await installPackage({ peers: false, tarball: project.tarball });
    try {
      const info = await bare.mettle('info', '--json');
      expect([info.code, info.err]).toEqual([0, '']);
      expect(JSON.parse(info.out).engine).toMatchObject({
        device: 'wasm',
        why: [expect.stringMatching(/npm install onnxruntime-node/)],
      });
      const { code, err } = await bare.mettle('run', fixture('tiny.webm'));
      expect(code).toBe(2);
      expect(err).toMatch(/^mettle: [^\n]+\nhint: [^\n]*npm install @mediabunny\/server[^\n]*\n$/);
    } finally {
      await bare.remove();
    }
  }, 180_000);
});
