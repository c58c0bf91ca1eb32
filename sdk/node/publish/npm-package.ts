/** The package.json that makes a model's folder an npm package. */
import { join } from 'node:path';
import { limits } from '../../contract/limits.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { parseJson } from '../../contract/parse-json.ts';
import { MettleError } from '../../errors.ts';
import { readSmall } from '../disk.ts';
import { exists } from '../files/file-store.ts';

const packageName = /^(?:@[a-z0-9][a-z0-9._-]{0,99}\/)?[a-z0-9][a-z0-9._-]{0,99}$/;

/** What is there stays, but for name, version, licence and the list of files. Throws `invalid-argument` for a name that npm would refuse, `invalid-file`, or `write` for a package of another name. */
export async function npmPackage(
  folder: string,
  manifest: Manifest,
  name: string,
): Promise<{ path: string; text: string; changed: boolean }> {
  if (!packageName.test(name)) {
    throw new MettleError('invalid-argument', `"${name}" is no name of an npm package; expected name or @scope/name.`);
  }
  const path = join(folder, 'package.json');
  const before = (await exists(path))
    ? new TextDecoder().decode(await readSmall(path, 'a package', limits.noteBytes))
    : null;
  const given = before === null ? {} : (parseJson(new TextEncoder().encode(before), path) as Record<string, unknown>);
  if (given.name !== undefined && given.name !== name) {
    throw new MettleError('write', `${path} is of the package "${given.name}", not of "${name}".`, {
      hint: 'Name that package, or remove the file.',
    });
  }
  const { kind, id, version, license, files } = manifest;
  const text = `${JSON.stringify(
    {
      description: `${kind === 'backbone' ? 'Backbone' : 'Adapter'} "${id}" for mettle-edge.`,
      keywords: ['mettle-edge', kind],
      ...given,
      name,
      version,
      license,
      files: ['manifest.json', ...files.map(({ path }) => path)],
    },
    null,
    2,
  )}\n`;
  return { path, text, changed: text !== before };
}
