/**
 * Reads a manifest that a stranger wrote: JSON in, a {@link Manifest} out that the rest of the SDK can trust. `manifest-form.ts` says what each field may be,
 * `check-manifest.ts` what must fit together.
 */
import { MettleError } from '../errors.ts';
import { checkManifest } from './check-manifest.ts';
import type { Manifest } from './manifest.ts';
import { adapter, backbone } from './manifest-form.ts';
import { splitSignatures } from './signature.ts';
import { Place } from './strict-json.ts';
import { satisfies, sdkVersion } from './version.ts';

/**
 * Checks a parsed manifest.json and gives it its type. `where` names it in errors, e.g. `manifest.json of adapter at https://...`.
 * Throws `invalid-file` that names the field, or `incompatible` if it asks for another version of the SDK than `sdk`.
 */
export function parseManifest(json: unknown, where: string, sdk = sdkVersion): Manifest {
  const at = new Place(where);
  const { content, signatures } = splitSignatures(json, at);
  const kind = typeof content === 'object' && content !== null && 'kind' in content ? content.kind : undefined;
  const manifest =
    kind === 'backbone' ? backbone(content, at) : kind === 'adapter' ? adapter(content, at) : unknownKind(content, at);
  if (!satisfies(sdk, manifest.requires.sdk)) {
    throw new MettleError(
      'incompatible',
      `${where}: requires mettle-edge ${manifest.requires.sdk}, but this is ${sdk}.`,
      {
        hint: 'Install a version of mettle-edge in that range, or use a release of the model made for yours.',
      },
    );
  }
  checkManifest(manifest, at);
  return signatures ? { ...manifest, signatures } : manifest;
}

function unknownKind(json: unknown, at: Place): never {
  // Says first what is wrong with a document that is no object at all.
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw at.expected('an object', json);
  if (!Object.hasOwn(json, 'kind')) throw at.field('kind').error('missing');
  throw at.field('kind').expected('"backbone" or "adapter"', (json as { kind: unknown }).kind);
}
