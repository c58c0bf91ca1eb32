/** The plugin for webpack and Rspack: files are assets of the compilation, so that its development server has them too, and `publicPath` says where they are. */
import { readFolder } from './folder.ts';
import { addressName, chosen, type PluginOptions } from './options.ts';

/** What is used of webpack's `Compiler`; Rspack has the same. */
type Compiler = {
  webpack: {
    Compilation: { PROCESS_ASSETS_STAGE_ADDITIONAL: number };
    ProvidePlugin: new (definitions: Record<string, string[]>) => { apply(compiler: never): void };
    sources: { RawSource: new (content: Buffer) => object };
  };
  hooks: { thisCompilation: { tap(name: string, compiling: (compilation: never) => void): void } };
};
type Compilation = {
  hooks: {
    processAssets: { tapPromise(options: { name: string; stage: number }, process: () => Promise<void>): void };
  };
  emitAsset(path: string, source: object, info: object): void;
};

export type WebpackPlugin = { apply(compiler: unknown): void };

const name = 'mettle-edge';

/** For `plugins` of webpack's or Rspack's configuration. Throws `invalid-argument` for options that it does not know. */
export function webpack(options?: PluginOptions): WebpackPlugin {
  const choice = chosen(options);
  return {
    apply(given) {
      const compiler = given as Compiler;
      const { Compilation, ProvidePlugin, sources } = compiler.webpack;
      const address = `export default __webpack_public_path__ + ${JSON.stringify(`${choice.path}/`)}`;
      const module = `data:text/javascript,${encodeURIComponent(address)}`;
      new ProvidePlugin({ [addressName]: [module, 'default'] }).apply(compiler as never);
      // Kept, because a source that is the same object is not written again.
      let read: Promise<{ path: string; source: object }[]> | null = null;
      const load = async () => {
        const files = await readFolder(choice);
        const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
          Buffer.from(buffer, byteOffset, byteLength);
        return files.map(({ path, bytes }) => ({ path, source: new sources.RawSource(bufferOf(bytes)) }));
      };
      compiler.hooks.thisCompilation.tap(name, (compiling) => {
        const compilation = compiling as Compilation;
        const stage = Compilation.PROCESS_ASSETS_STAGE_ADDITIONAL;
        compilation.hooks.processAssets.tapPromise({ name, stage }, async () => {
          read ??= load();
          for (const { path, source } of await read) {
            compilation.emitAsset(`${choice.path}/${path}`, source, { minimized: true });
          }
        });
      });
    },
  };
}
