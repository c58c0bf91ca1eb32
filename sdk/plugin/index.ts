/**
 * `mettle-edge/plugin`: what a page loads by itself, served while one develops and put beside the bundle in a build, so that nobody copies anything.
 *
 * It is not built on unplugin: that unites how bundlers resolve, load and transform modules, and passes through what is needed here, which is a define, a development server
 * and a public path, each of which every bundler has in a form of its own. So nobody installs anything for it.
 */
export { esbuild } from './esbuild.ts';
export type { PluginOptions } from './options.ts';
export { rollup } from './rollup.ts';
export { vite } from './vite.ts';
export { webpack as rspack, webpack } from './webpack.ts';
