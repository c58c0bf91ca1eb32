/** Backbones that "mettle backbone add" made on this machine, by name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MettleError } from '../errors.ts';
import { catalogue } from '../models/catalogue.ts';
import { defaultFolder } from '../node/store.ts';

/** Where the package of this name is, or would be. */
export const addedFolder = (name: string): string => join(defaultFolder(), 'backbones', name);

export const isAdded = (name: string): boolean => existsSync(join(addedFolder(name), 'manifest.json'));

/** The folder of an added backbone; any other name as it is. Throws `not-found` for one of the catalogue that was not added yet. */
export function locateAdded(name: string): string {
  const known = catalogue.find(({ id }) => id === name);
  if (!known) return name;
  if (isAdded(name)) return addedFolder(name);
  throw new MettleError('not-found', `Backbone "${name}" is known, but not on this machine.`, {
    hint: `Get it: mettle backbone add ${name}.`,
  });
}
