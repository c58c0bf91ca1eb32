/** What every form of the plugin is told. */
import { MettleError } from '../errors.ts';

export type PluginOptions = {
  /** Ids of shipped models that the page uses; the backbone of an adapter comes along. Default: all. */
  models?: readonly string[];
  /** Folder of the files, below the bundle's own: names with `/` between them. Default `mettle`. */
  path?: string;
};

export type Chosen = { models: readonly string[] | undefined; path: string };

/** The bundle does not see what the plugin writes: it takes the address from this name. */
export const addressName = '__METTLE_ASSETS__';

/** Throws `invalid-argument`. */
export function chosen({ models, path = 'mettle' }: PluginOptions = {}): Chosen {
  if (typeof path !== 'string' || !/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(path)) {
    throw new MettleError('invalid-argument', `options.path is ${JSON.stringify(path)}; expected a folder's name.`, {
      hint: 'Letters, digits, ".", "_" and "-", with "/" between names and neither before nor after: "static/mettle".',
    });
  }
  if (models !== undefined && !(Array.isArray(models) && models.every((id) => typeof id === 'string'))) {
    throw new MettleError('invalid-argument', 'options.models must be a list of ids of shipped models.', {
      hint: 'Such as models: ["toybox-ave"].',
    });
  }
  return { models, path };
}
