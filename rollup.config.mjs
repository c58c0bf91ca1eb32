/**
 * Two bundles of one source. `dist/page`: everything inside, ready for a script tag or another bundler, the runtime's WASM beside it.
 * `dist/node` with `dist/cli`: the package's dependencies stay imports. `#platform` is what differs.
 */
import { cp, mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import esbuild from 'rollup-plugin-esbuild';

const compile = (options) => esbuild({ target: 'es2022', sourceMap: true, tsconfig: false, ...options });

/** Empties the output folder before, and puts the runtime's own files beside the page's bundle after. */
const runtimeFiles = () => ({
  name: 'runtime-files',
  async writeBundle() {
    const from = fileURLToPath(new URL('node_modules/onnxruntime-web/dist/', import.meta.url));
    const to = fileURLToPath(new URL('dist/page/runtime/', import.meta.url));
    await mkdir(to, { recursive: true });
    for (const build of ['', '.asyncify', '.jspi']) {
      for (const extension of ['mjs', 'wasm']) {
        const file = `ort-wasm-simd-threaded${build}.${extension}`;
        await cp(`${from}${file}`, `${to}${file}`);
      }
    }
  },
});

const emptyFolder = (folder) => ({
  name: 'empty-folder',
  buildStart: () => rm(new URL(`${folder}/`, import.meta.url), { recursive: true, force: true }),
});

/** In the sources the worker's entry is a folder up; in the bundle it lies beside. */
const workerPlace = () => ({
  name: 'worker-place',
  transform: (code) => (code.includes("'../worker.ts'") ? code.replace("'../worker.ts'", "'./worker.js'") : null),
});

/** mediabunny's file sources for Node, which its package says a page must leave out. */
const withoutFileSystem = () => ({
  name: 'without-file-system',
  resolveId: (id) => (id === 'node:fs/promises' ? '\0nothing' : null),
  load: (id) => (id === '\0nothing' ? '' : null),
});

const page = {
  input: { index: 'sdk/index.ts', train: 'sdk/train/index.ts', worker: 'sdk/worker.ts' },
  plugins: [
    emptyFolder('dist/page'),
    workerPlace(),
    withoutFileSystem(),
    nodeResolve({
      browser: true,
      exportConditions: ['onnxruntime-web-use-extern-wasm'],
      extensions: ['.ts', '.mjs', '.js'],
    }),
    compile({ minify: true }),
    runtimeFiles(),
  ],
  output: { dir: 'dist/page', format: 'es', sourcemap: true, chunkFileNames: '[name]-[hash].js' },
};

const node = {
  input: {
    'node/index': 'sdk/index.ts',
    'node/train': 'sdk/train/index.ts',
    'node/view-worker': 'sdk/node/pretrain/view-worker.ts',
    'cli/mettle': 'sdk/cli/mettle.ts',
  },
  external: (id) => !/^[./#]/.test(id) && !id.startsWith('/'),
  plugins: [
    emptyFolder('dist/node'),
    emptyFolder('dist/cli'),
    nodeResolve({ exportConditions: ['node'], extensions: ['.ts'] }),
    compile(),
  ],
  output: {
    dir: 'dist',
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'node/[name]-[hash].js',
  },
};

/** An import that leads nowhere is only a warning to rollup, and a broken package to us. */
const strict = (config) => ({
  ...config,
  onwarn(warning) {
    if (/UNRESOLVED|MISSING/.test(warning.code)) throw new Error(warning.message);
  },
});

export default [strict(page), strict(node)];
