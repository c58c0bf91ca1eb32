/** The plugin for esbuild: the folder is written beside the bundle, and found there or at `publicPath`. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MettleError } from '../errors.ts';
import { writeFolder } from './folder.ts';
import { addressName, chosen, type PluginOptions } from './options.ts';

/** What is used of esbuild's `PluginBuild`. */
type Build = {
  initialOptions: { absWorkingDir?: string; outdir?: string; outfile?: string; publicPath?: string; format?: string };
  onLoad(
    options: { filter: RegExp },
    load: (module: { path: string }) => Promise<{ contents: string; loader: 'js' }>,
  ): void;
  onEnd(ended: (result: { errors: unknown[] }) => Promise<void>): void;
};

export type EsbuildPlugin = { name: string; setup(build: Build): void };

/** For `plugins` of esbuild's options. Throws `invalid-argument` for options that it does not know. */
export function esbuild(options?: PluginOptions): EsbuildPlugin {
  const choice = chosen(options);
  return {
    name: 'mettle-edge',
    setup(build) {
      const folder = join(outputFolder(build.initialOptions), choice.path);
      const address = addressIn(build.initialOptions, `${choice.path}/`);
      build.onLoad({ filter: /[\\/]mettle-edge[\\/]dist[\\/]page[\\/]bundled(-train)?\.js$/ }, async ({ path }) => ({
        contents: `const ${addressName} = ${address};\n${await readFile(path, 'utf8')}`,
        loader: 'js',
      }));
      build.onEnd(async ({ errors }) => {
        if (errors.length === 0) await writeFolder(folder, choice);
      });
    },
  };
}

function outputFolder({ absWorkingDir = process.cwd(), outdir, outfile }: Build['initialOptions']): string {
  const folder = outdir ?? (outfile && dirname(outfile));
  if (folder) return resolve(absWorkingDir, folder);
  throw new MettleError('invalid-argument', 'esbuild is told no outdir and no outfile; the plugin writes files there.');
}

/** JavaScript for the folder's address. A script that is no module knows where it came from only while it starts. */
function addressIn({ publicPath, format }: Build['initialOptions'], path: string): string {
  if (publicPath !== undefined) return JSON.stringify(publicPath.replace(/\/?$/, '/') + path);
  const script = format === 'esm' ? 'import.meta.url' : '(globalThis.document?.currentScript?.src ?? location.href)';
  return `new URL(${JSON.stringify(path)}, ${script}).href`;
}
