/** What every form of the plugin is told. */
import { checkOptions, type Rule, type Rules, texts } from '../contract/options.ts';

export type PluginOptions = {
  /** Ids of shipped models that the page uses; the backbone of an adapter comes along. Default: all. */
  models?: readonly string[];
  /** Folder of the files, below the bundle's own: names with `/` between them. Default `mettle`. */
  path?: string;
};

export type Chosen = { models: readonly string[] | undefined; path: string };

/** The bundle does not see what the plugin writes: it takes the address from this name. */
export const addressName = '__METTLE_ASSETS__';

const folderName: Rule = {
  expected: 'names of folders with "/" between them, such as "static/mettle"',
  fits: (value) => typeof value === 'string' && /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(value),
};

const rules: Rules<PluginOptions> = { models: texts, path: folderName };

/** Throws `invalid-argument`. */
export function chosen(options: PluginOptions = {}): Chosen {
  checkOptions(options, rules);
  const { models, path = 'mettle' } = options;
  return { models, path };
}
