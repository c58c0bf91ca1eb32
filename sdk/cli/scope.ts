/** `--scope`: what an adapter answers for, as a JSON file or as JSON on the command line. */
import { limits } from '../contract/limits.ts';
import type { Scope } from '../contract/manifest.ts';
import { parseScope } from '../contract/manifest-form.ts';
import { MettleError } from '../errors.ts';
import { readSmall } from '../node/disk.ts';

/** Undefined where the option was left out. Throws `invalid-file` or `not-found`. */
export async function readScope(value: string | undefined): Promise<Scope | undefined> {
  if (value === undefined) return undefined;
  const inline = value.trimStart().startsWith('{');
  const text = inline ? value : new TextDecoder().decode(await readSmall(value, 'a scope', limits.noteBytes));
  const where = inline ? '--scope' : value;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new MettleError('invalid-file', `${where}: is no JSON.`, {
      hint: 'Write {"senses": ["audio", "visual"], "world": "...", "unknown": "..."}.',
      cause,
    });
  }
  return parseScope(json, where);
}
