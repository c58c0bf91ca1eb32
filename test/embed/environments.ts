/**
 * Every environment that the guide speaks of: what a user writes (fixture folders, one laid over the other), installs and types. Versions are exact, and those that the
 * table of the guide shows.
 */

/** One way to have events in an environment. A `program` prints them; a page shows them, from `serve`, a command that gets a port, or else from the folder as it is. */
export type Run = {
  name: string;
  /** Typed before, in this order. */
  before?: readonly string[];
} & (
  | { program: string }
  | {
      serve?: (port: number) => string;
      /** Address of the page on its server. Default `/`. */
      path?: string;
      /** The package, too, is served, from another origin. */
      otherOrigin?: boolean;
    }
);

export type Environment = {
  name: string;
  title: string;
  fixtures: readonly string[];
  /** Installed beside this package. */
  packages?: Readonly<Record<string, string>>;
  /** Package whose binary for this platform, which an install script would have linked, goes first on the path. */
  platformBinary?: string;
  /** Typed once. */
  prepare?: readonly string[];
  runs: readonly Run[];
};

export const decoder = { '@mediabunny/server': '1.59.0' };
const react = { react: '19.3.1', 'react-dom': '19.3.1' };
const staticPage: Run = { name: 'page' };

const viteRuns = (path = '/'): Run[] => [
  { name: 'dev', serve: (port) => `npx vite --port ${port} --strictPort`, path },
  {
    name: 'build',
    before: ['npx vite build'],
    serve: (port) => `npx vite preview --port ${port} --strictPort`,
    path,
  },
];

const viteEnvironments = (version: string, plugin: string): Environment[] => {
  const [major] = version.split('.');
  const packages = { vite: version };
  return [
    { name: `vite-${major}`, title: `Vite ${major}`, fixtures: ['page', 'vite'], packages, runs: viteRuns() },
    {
      name: `vite-${major}-base`,
      title: `Vite ${major}, base: '/sub/'`,
      fixtures: ['page', 'vite-base'],
      packages,
      runs: viteRuns('/sub/'),
    },
    {
      name: `vite-${major}-react`,
      title: `Vite ${major}, React with StrictMode and a hook`,
      fixtures: ['react'],
      packages: { ...packages, ...react, '@vitejs/plugin-react': plugin },
      runs: viteRuns(),
    },
    {
      name: `vite-${major}-assets`,
      title: `Vite ${major}, without the plugin`,
      fixtures: ['assets'],
      packages,
      prepare: ['npx mettle assets public/mettle'],
      runs: viteRuns(),
    },
    {
      name: `vite-${major}-worker`,
      title: `Vite ${major}, in the page's own worker`,
      fixtures: ['page', 'vite', 'own-worker'],
      packages,
      runs: viteRuns(),
    },
  ];
};

export const environments: readonly Environment[] = [
  {
    name: 'node-esm',
    title: 'Node, ES modules',
    fixtures: ['node-esm'],
    packages: decoder,
    runs: [{ name: 'run', program: 'node main.js' }],
  },
  {
    name: 'node-cjs',
    title: 'Node, CommonJS',
    fixtures: ['node-cjs'],
    packages: decoder,
    runs: [{ name: 'run', program: 'node main.cjs' }],
  },
  {
    name: 'node-native',
    title: 'Node, onnxruntime-node',
    fixtures: ['node-esm'],
    packages: { ...decoder, 'onnxruntime-node': '1.30.0' },
    runs: [{ name: 'run', program: 'node main.js' }],
  },
  {
    name: 'worker-threads',
    title: 'Node, in a worker thread',
    fixtures: ['worker-threads'],
    packages: decoder,
    runs: [{ name: 'run', program: 'node main.js' }],
  },
  {
    name: 'function',
    title: 'A function that creates and disposes per request',
    fixtures: ['function', 'function-caller'],
    packages: decoder,
    runs: [{ name: 'three requests', program: 'node call.js' }],
  },
  {
    name: 'deno',
    title: 'Deno',
    fixtures: ['node-esm'],
    packages: { ...decoder, deno: '2.9.6' },
    platformBinary: 'deno',
    runs: [{ name: 'run', program: 'deno run -A main.js' }],
  },
  {
    name: 'bun',
    title: 'Bun',
    fixtures: ['node-esm'],
    packages: { ...decoder, bun: '1.4.5' },
    platformBinary: 'bun',
    runs: [{ name: 'run', program: 'bun main.js' }],
  },
  { name: 'plain', title: 'Plain page, node_modules', fixtures: ['plain'], runs: [staticPage] },
  {
    name: 'plain-assets',
    title: 'Plain page, the folder of assets',
    fixtures: ['plain-assets'],
    prepare: ['npx mettle assets mettle --models toybox-ave'],
    runs: [staticPage],
  },
  {
    name: 'other-origin',
    title: 'Plain page, package from another origin',
    fixtures: ['other-origin'],
    runs: [{ name: 'page', otherOrigin: true }],
  },
  ...viteEnvironments('8.4.0', '6.3.0'),
  ...viteEnvironments('7.3.8', '5.2.0'),
  {
    name: 'vite-8-train',
    title: 'Vite 8, with mettle-edge/train',
    fixtures: ['page', 'vite', 'train'],
    packages: { vite: '8.4.0' },
    runs: viteRuns(),
  },
  {
    name: 'webpack-5',
    title: 'webpack 5',
    fixtures: ['page', 'webpack'],
    packages: { webpack: '5.113.0', 'webpack-cli': '7.3.1', 'webpack-dev-server': '5.2.7' },
    runs: [
      { name: 'build', before: ['npx webpack'] },
      { name: 'dev', serve: (port) => `npx webpack serve --port ${port} --static . --output-public-path /dist/` },
    ],
  },
  {
    name: 'webpack-5-worker',
    title: "webpack 5, in the page's own worker",
    fixtures: ['page', 'webpack', 'own-worker'],
    packages: { webpack: '5.113.0', 'webpack-cli': '7.3.1' },
    runs: [{ name: 'build', before: ['npx webpack'] }],
  },
  {
    name: 'rspack-2',
    title: 'Rspack 2',
    fixtures: ['page', 'rspack'],
    packages: { '@rspack/core': '2.3.3', '@rspack/cli': '2.2.8', '@rspack/dev-server': '2.2.2' },
    runs: [
      { name: 'build', before: ['npx rspack build'], path: '/dist/' },
      { name: 'dev', serve: (port) => `npx rspack serve --port ${port}` },
    ],
  },
  {
    name: 'next-16',
    title: 'Next 16, client component',
    fixtures: ['next'],
    packages: { next: '16.4.6', ...react },
    prepare: ['npx mettle assets public/mettle'],
    runs: [
      { name: 'dev', serve: (port) => `npx next dev --port ${port}` },
      { name: 'build', before: ['npx next build'], serve: (port) => `npx next start --port ${port}` },
    ],
  },
  {
    name: 'rollup-4',
    title: 'Rollup 4',
    fixtures: ['page', 'rollup'],
    packages: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3' },
    runs: [{ name: 'build', before: ['npx rollup -c'] }],
  },
  {
    name: 'esbuild',
    title: 'esbuild',
    fixtures: ['page', 'esbuild'],
    packages: { esbuild: '0.28.2' },
    runs: [{ name: 'build', before: ['node build.js'] }],
  },
];
