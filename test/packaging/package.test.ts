/** The tarball: what it holds, and whether a program, a shell and a type checker can use it once it is installed. Needs `npm run build`. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackage, type Project, run } from './installed.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

let project: Project;
beforeAll(async () => {
  project = await installPackage({ peers: true });
}, 60_000);
afterAll(() => project?.remove());

describe('the tarball', () => {
  test('holds what it should and nothing else', () => {
    const places = new Set(project.files.map((path) => path.split('/').slice(0, 2).join('/')));
    expect([...places].sort()).toEqual([
      'LICENSE',
      'README.md',
      'adapters/QUALITY.md',
      'adapters/adapters',
      'adapters/backbones',
      'adapters/registry.json',
      'dist/cli',
      'dist/node',
      'dist/page',
      'dist/types',
      'package.json',
    ]);
    const kinds = new Set(project.files.map((path) => extname(path.replace(/\.d\.ts$/, '.types'))));
    const known = ['', '.js', '.json', '.map', '.md', '.mjs', '.onnx', '.safetensors', '.types', '.wasm'];
    expect([...kinds].sort()).toEqual(known);
  });

  test('every file that package.json, the registry and the manifests name is there', async () => {
    const read = async (path: string) => JSON.parse(await readFile(join(project.packageFolder, path), 'utf8'));
    const { bin, exports } = await read('package.json');
    const entries = ['.', './train'].flatMap((name) => Object.values(exports[name] as Record<string, string>));
    const named: string[] = [bin.mettle, ...entries, exports['./worker']];
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
    }
  });

  test('no script names a host, but for texts of dependencies', async () => {
    const scripts = project.files.filter((path) => /^dist\/.*\.m?js$/.test(path));
    const hosts = new Set<string>();
    for (const path of scripts) {
      const code = await readFile(join(project.packageFolder, path), 'utf8');
      for (const [, host] of code.matchAll(/(?:https?|wss?):\/\/([a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi)) hosts.add(host!);
    }
    // A licence notice, and a warning of onnxruntime-web about threads.
    expect([...hosts].sort()).toEqual(['mozilla.org', 'web.dev']);
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
      console.log(JSON.stringify({ version, duration, tasks: [...new Set(results.map(({ task }) => task))], masks: results.at(-1).masks.length }));`,
    );
    const { code, out, err } = await project.node('use.mjs');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      duration: 3.3,
      tasks: ['localize', 'parse', 'segment'],
      masks: 4,
    });
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
  });
});

describe('a TypeScript program', () => {
  // Had the types decayed to any, the expected errors would not come.
  const program = `
    import { type Analysis, createMettle, drawMask, listShipped, MettleError, openClip, toWebVTT, version } from 'mettle-edge';
    const mettle = await createMettle({ adapters: ['toybox-ave'], onProgress: ({ phase }) => phase satisfies 'download' | 'load' | 'warmup' });
    const { events, untrained } = await mettle.localize(new Blob([]), { signal: AbortSignal.timeout(1) });
    const label: string | undefined = events[0]?.label;
    const analysis: Analysis = await mettle.analyze('clip.mp4', { tasks: ['segment'] });
    for (const result of analysis.results) if (result.task === 'segment') result.masks[0]?.data.at(0);
    const { segmentCount } = await openClip({ audio: { channels: [new Float32Array(8)], sampleRate: 16000 } });
    // @ts-expect-error a label is no number
    const wrong: number = label;
    // @ts-expect-error there is no such task
    await mettle.analyze('clip.mp4', { tasks: ['sing'] });
    // @ts-expect-error of an unknown device
    await createMettle({ device: 'abacus' });
    // @ts-expect-error a code that no error has
    if (new MettleError('internal', '').code === 'bad-luck') wrong;
    export { drawMask, listShipped, segmentCount, toWebVTT, untrained, version };
  `;

  test.for([
    ['esnext', 'bundler'],
    ['nodenext', 'nodenext'],
  ])('compiles with module %s and moduleResolution %s', async ([module, moduleResolution]) => {
    const folder = join(project.folder, moduleResolution!);
    await mkdir(folder);
    const compilerOptions = { module, moduleResolution, strict: true, noEmit: true, types: [] };
    const config = (more: object) =>
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...more }, files: ['use.ts'] });
    await writeFile(join(folder, 'use.ts'), program);
    await writeFile(join(folder, 'tsconfig.json'), config({ target: 'es2022', skipLibCheck: true }));
    const usual = await run(process.execPath, [tsc, '-p', folder], folder);
    expect(usual).toEqual({ code: 0, out: '', err: '' });
    // Every declaration of ours checked as well; those of dependencies are theirs.
    await writeFile(
      join(folder, 'tsconfig.json'),
      config({ target: 'esnext', lib: ['esnext', 'dom'], skipLibCheck: false }),
    );
    const whole = await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], folder);
    const ours = whole.out.split('\n').filter((line) => /^use\.ts|node_modules\/mettle-edge\//.test(line));
    expect(ours).toEqual([]);
  });
});
