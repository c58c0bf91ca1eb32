/**
 * Bundles of one source. A page's thread takes a small front; workers, demuxer and runtime are files of their own that are found by their address, each whole, so that no
 * bundler ever has to follow them. In Node the package's dependencies stay imports. `#bytes` and `#runtimes` are what differs between the two.
 */
import { rm } from 'node:fs/promises';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import esbuild from 'rollup-plugin-esbuild';
import { minify } from 'terser';

const compile = (options) => esbuild({ target: 'es2022', sourceMap: false, tsconfig: false, ...options });

const emptyFolder = (folder) => ({
  name: 'empty-folder',
  buildStart: () => rm(new URL(`${folder}/`, import.meta.url), { recursive: true, force: true }),
});

/** mediabunny's file sources for Node, which its package says a page must leave out. */
const withoutFileSystem = () => ({
  name: 'without-file-system',
  resolveId: (id) => (id === 'node:fs/promises' ? '\0nothing' : null),
  load: (id) => (id === '\0nothing' ? '' : null),
});

/** A bundler writes a path of its own machine where a module asks for its address: what it takes asks for none. */
const withoutAddress = () => ({
  name: 'without-address',
  resolveImportMeta: (property) => (property === 'url' ? "''" : null),
});

/** For what runs on a page's own thread, where every byte is waited for: 3 to 4 % less than esbuild leaves, and slower. */
const tight = () => ({
  name: 'tight',
  renderChunk: (code) => minify(code, { module: true, ecma: 2022, compress: { passes: 3 } }),
});

/** What is imported by an address that is known only at run time is no bundler's business: their own comments say so, and minifying drops them. */
const leftAlone = () => ({
  name: 'left-alone',
  renderChunk: (code) =>
    code.replace(
      /\bimport\(([\w$]+\.href)\)/g,
      'import(/* @vite-ignore */ /* webpackIgnore: true */ /* turbopackIgnore: true */ $1)',
    ),
});

/** Tests and tools run the sources as they are. What only they need falls away in what is packed, where a server's bundler would follow it in vain. */
const packed = () => ({
  name: 'packed',
  transform: (code) => code.replaceAll("import.meta.url.endsWith('.ts')", 'false'),
});

const pageFile = (name, input, plugins = [], last = []) => ({
  input: { [name]: input },
  plugins: [
    ...plugins,
    withoutFileSystem(),
    nodeResolve({ browser: true, extensions: ['.ts', '.mjs', '.js'] }),
    compile({ minify: true }),
    ...last,
    leftAlone(),
  ],
  output: { dir: 'dist/page', format: 'es', inlineDynamicImports: true },
});

const page = [
  pageFile('index', 'sdk/index.ts', [emptyFolder('dist/page')], [tight()]),
  pageFile('bundled', 'sdk/index.ts', [withoutAddress()], [tight()]),
  pageFile('decode-worker', 'sdk/work/decode-worker.ts'),
  pageFile('engine-worker', 'sdk/work/engine-worker.ts'),
  pageFile('in-thread', 'sdk/work/in-thread.ts'),
  pageFile('train', 'sdk/train/index.ts'),
  pageFile('bundled-train', 'sdk/train/index.ts', [withoutAddress()]),
  pageFile('export', 'sdk/export/index.ts'),
  pageFile('explain', 'sdk/explain/index.ts'),
];

const node = {
  input: {
    'node/index': 'sdk/index.ts',
    'node/train': 'sdk/train/index.ts',
    'node/export': 'sdk/export/index.ts',
    'node/explain': 'sdk/explain/index.ts',
    'node/film-worker': 'sdk/node/batch/film-worker.ts',
    'node/view-worker': 'sdk/node/pretrain/view-worker.ts',
    'node/decode-worker': 'sdk/work/decode-worker.ts',
    'node/engine-worker': 'sdk/work/engine-worker.ts',
    'node/in-thread': 'sdk/work/in-thread.ts',
    'cli/mettle': 'sdk/cli/mettle.ts',
    'plugin/index': 'sdk/plugin/index.ts',
  },
  external: (id) => !/^[./#]/.test(id) && !id.startsWith('/'),
  plugins: [
    emptyFolder('dist/node'),
    emptyFolder('dist/cli'),
    emptyFolder('dist/plugin'),
    nodeResolve({ exportConditions: ['node'], extensions: ['.ts'] }),
    packed(),
    compile(),
  ],
  output: {
    dir: 'dist',
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: 'node/[name]-[hash].js',
  },
};

/** For `require`: what people call, and the plugin, because a bundler's configuration often is CommonJS; scripts of workers, which nobody requires, are those of above. */
const commonJs = {
  input: {
    'node/index': 'sdk/index.ts',
    'node/train': 'sdk/train/index.ts',
    'node/export': 'sdk/export/index.ts',
    'node/explain': 'sdk/explain/index.ts',
    'plugin/index': 'sdk/plugin/index.ts',
  },
  external: node.external,
  plugins: [nodeResolve({ exportConditions: ['node'], extensions: ['.ts'] }), packed(), compile()],
  output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: 'node/[name]-[hash].cjs' },
};

/** An import that leads nowhere is only a warning to rollup, and a broken package to us. */
const strict = (config) => ({
  ...config,
  onwarn(warning) {
    if (/UNRESOLVED|MISSING/.test(warning.code)) throw new Error(warning.message);
  },
});

export default [...page, node, commonJs].map(strict);
