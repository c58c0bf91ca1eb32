/** The plugin for Rollup and Rolldown: files are emitted, and the bundle finds them relative to itself, wherever both are put. */
import { readFolder } from './folder.ts';
import { addressName, chosen, type PluginOptions } from './options.ts';

/** What is used of Rollup's context. */
type Context = { emitFile(file: { type: 'asset'; fileName: string; source: Uint8Array }): string };

export type RollupPlugin = {
  name: string;
  buildStart(this: Context): Promise<void>;
  transform(code: string): { code: string; map: { mappings: '' } } | null;
};

/** For `plugins` of rollup.config.js. Throws `invalid-argument` for options that it does not know. */
export function rollup(options?: PluginOptions): RollupPlugin {
  const choice = chosen(options);
  let reference = '';
  return {
    name: 'mettle-edge',
    async buildStart() {
      for (const { path, bytes } of await readFolder(choice)) {
        reference = this.emitFile({ type: 'asset', fileName: `${choice.path}/${path}`, source: bytes });
      }
    },
    transform(code) {
      if (!code.includes(addressName)) return null;
      const address = `const ${addressName} = new URL('.', import.meta.ROLLUP_FILE_URL_${reference}).href;\n`;
      return { code: address + code, map: { mappings: '' } };
    },
  };
}
