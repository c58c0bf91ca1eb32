/** Programs in TypeScript that use the installed package, as strict as a compiler can be: each form of import, with and without the libraries of browser and Node. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Project, run } from './installed.ts';

const repo = fileURLToPath(new URL('../..', import.meta.url));

// Had the types decayed to any, the expected errors would not come.
const anywhere = `
  async function use(): Promise<string | undefined> {
    await using mettle = await createMettle({
      adapters: ['toybox-ave'], assets: '/mettle/', onProgress: ({ phase }) => phase satisfies 'download' | 'load' | 'warmup',
    });
    const { events, untrained } = await mettle.localize('clip.mp4');
    const label: string | undefined = events[0]?.label;
    const analysis: Analysis = await mettle.analyze('clip.mp4', { onProgress: ({ done, total }) => untrained && done < total });
    for (const result of analysis.results) if (result.task === 'segment') result.masks[0]?.data.at(0);
    const clip = await openClip({ audio: { channels: [new Float32Array(8)], sampleRate: 16000 } });
    for await (const { pcm } of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: 16000 })) pcm?.subarray(1);
    const score = new LocalizationScore();
    const store = memoryStore();
    await store.save('name', new Uint8Array(3));
    // @ts-expect-error a label is no number
    const wrong: number = label;
    // @ts-expect-error there is no such task
    await mettle.analyze('clip.mp4', { tasks: ['sing'] });
    // @ts-expect-error of an unknown device
    await createMettle({ device: 'abacus' });
    // @ts-expect-error a code that no error has
    if (new MettleError('internal', '').code === 'bad-luck') wrong;
    // @ts-expect-error no clip
    await mettle.parse(42);
    // @ts-expect-error no bytes
    await store.save('name', [3]);
    const vtt: string = captions(analysis, { language: 'de', merge: toChapters(analysis) });
    // @ts-expect-error no captions in Latin
    captions(analysis, { language: 'la' });
    return vtt + toWebVTT(analysis.results) + version + score + (await listShipped()).map(({ id }) => id).join();
  }
`;

const inPage = `
  async function onPage(mettle: Mettle, video: HTMLVideoElement, canvas: HTMLCanvasElement, signal: AbortSignal): Promise<void> {
    const { masks } = await mettle.segment(video, { signal });
    await mettle.parse(new Blob([]));
    await mettle.parse({ frames: [canvas, new OffscreenCanvas(8, 8)], frameRate: 2 });
    drawMask(canvas.getContext('2d')!, masks[0]!);
    await createMettle({ worker: (script, name) => new Worker(script, { type: 'module', name }) });
    // @ts-expect-error no video, but a paragraph
    await mettle.segment(document.createElement('p'));
    // @ts-expect-error no signal
    await mettle.segment(video, { signal: video });
    // @ts-expect-error masks go on canvases
    drawMask(video, masks[0]!);
  }
`;

const inNode = `
  async function onServer(mettle: Mettle): Promise<void> {
    await mettle.parse(new URL('file:///clip.mp4'), { signal: AbortSignal.timeout(1000) });
    await mettle.parse(new Blob([]));
    // @ts-expect-error no signal
    await mettle.parse('clip.mp4', { signal: process });
  }
`;

const inConfiguration = `
  function configuration(): unknown[] {
    const options: PluginOptions = { models: ['toybox-ave'], path: 'static/mettle' };
    const build: RegExp | string = vite(options).config({}, { command: 'build' }).define['name'] ?? '';
    // @ts-expect-error no such option
    webpack({ folder: 'static' });
    // @ts-expect-error a list of ids
    vite({ models: 'toybox-ave' });
    // @ts-expect-error the name of a plugin
    const wrong: number = rollup().name;
    return [build, rollup(options), esbuild(options), webpack(), rspack(options), wrong];
  }
`;

const names =
  'type Analysis, createMettle, drawMask, listShipped, type Mettle, MettleError, openClip, toWebVTT, version';
const program = (uses: string): string =>
  `import { ${names} } from 'mettle-edge';
  import { LocalizationScore, memoryStore } from 'mettle-edge/train';
  import { esbuild, type PluginOptions, rollup, rspack, vite, webpack } from 'mettle-edge/plugin';
  import { captions, toChapters } from 'mettle-edge/export';
  import { type AttentionStyle, drawPictureAttention } from 'mettle-edge/explain';
  ${anywhere}${inConfiguration}${uses}
  export { type AttentionStyle, type Mettle, configuration, drawMask, drawPictureAttention, use };\n`;

const libraries = {
  browser: { lib: ['es2022', 'dom', 'dom.iterable'], types: [], uses: inPage },
  node: { lib: ['es2022'], types: ['node'], uses: inNode },
  neither: { lib: ['es2022'], types: [], uses: '' },
};

/** The endings of programs that import and of those that require. */
const resolutions = {
  bundler: { module: 'esnext', endings: ['ts'] },
  node16: { module: 'node16', endings: ['mts', 'cts'] },
  nodenext: { module: 'nodenext', endings: ['mts', 'cts'] },
};

/** Compiles every program with the compiler at `tsc`, and gives what it had to say, by libraries and resolution of modules; nothing where all is well. */
export async function compileConsumers(project: Pick<Project, 'folder'>, tsc: string): Promise<Record<string, string>> {
  const faults: Record<string, string> = {};
  for (const [library, { lib, types, uses }] of Object.entries(libraries)) {
    for (const [moduleResolution, { module, endings }] of Object.entries(resolutions)) {
      const folder = join(project.folder, 'types', `${library}-${moduleResolution}`);
      await mkdir(folder, { recursive: true });
      const files = endings.map((ending) => `use.${ending}`);
      for (const file of files) await writeFile(join(folder, file), program(uses));
      const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
      const target = { target: 'es2022', noEmit: true, skipLibCheck: false };
      const compilerOptions = { module, moduleResolution, lib, types, ...target, ...strict };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      const { code, out, err } = await run(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], project.folder);
      if (code !== 0) faults[`${library}, ${moduleResolution}`] = out + err;
    }
  }
  return faults;
}

/** The types of Node for a project that npm did not install. */
export async function linkNodeTypes(project: Project): Promise<void> {
  await mkdir(join(project.folder, 'node_modules/@types'), { recursive: true });
  for (const name of ['@types/node', 'undici-types']) {
    const link = join(project.folder, 'node_modules', name);
    await symlink(join(repo, 'node_modules', name), link, 'dir').catch(() => {});
  }
}
