/**
 * What a caller may write for a model besides its id: a path, a URL, or `hf:` and `npm:` names, which stand for a host that the caller has set in `options.hosts`. No
 * host is built in.
 */
import type { Bytes } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';
import { shown } from './request.ts';

/** Base addresses by scheme. */
export type Hosts = {
  /** Of `hf:organisation/name[@revision][/folder]`, such as `https://huggingface.co`; files are asked for at `/organisation/name/resolve/revision/`. */
  hf?: string;
  /** Of `npm:name@version/folder`, such as the address of a mirror that serves files of packages at `/name@version/`. */
  npm?: string;
};

const part = '[A-Za-z0-9][A-Za-z0-9._-]{0,99}';
const rest = `(?:/(?:${part}(?:/${part})*/?)?)?`;
const schemes = {
  hf: {
    form: new RegExp(`^(${part}/${part})(?:@(${part}))?(${rest})$`),
    example: 'hf:organisation/name@revision/folder',
    host: 'https://huggingface.co',
    path: (name: string, revision = 'main') => `${name}/resolve/${revision}`,
  },
  npm: {
    form: new RegExp(`^((?:@${part}/)?${part})@(\\d+\\.\\d+\\.\\d+[A-Za-z0-9.+-]*)(${rest})$`),
    example: 'npm:@scope/name@1.0.0/folder',
    host: 'https://HOST/npm',
    path: (name: string, version = '') => `${name}@${version}`,
  },
};

/** Throws `invalid-argument` for what is no address, or where its host was not named. */
export function resolveAddress(location: string, { platform, hosts }: { platform: Bytes; hosts: Hosts }): URL {
  const [, scheme, name] = /^(hf|npm):(.*)$/.exec(location) ?? [];
  if (scheme === undefined) return platform.resolveUrl(location);
  const { form, example, host, path } = schemes[scheme as keyof Hosts];
  const found = form.exec(name!);
  if (!found) {
    throw new MettleError(
      'invalid-argument',
      `"${location.slice(0, 200)}" is no name of a model; expected ${example}.`,
    );
  }
  const base = hosts[scheme as keyof Hosts];
  if (base === undefined) {
    throw new MettleError('invalid-argument', `"${location}" needs a host, and none was named for ${scheme}:.`, {
      hint: `Name it: hosts: { ${scheme}: '${host}' }, or --host ${scheme}=${host}. Nothing is asked of a host that you did not name.`,
    });
  }
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new MettleError('invalid-argument', `options.hosts.${scheme} is "${base}"; expected a URL such as ${host}.`);
  }
  const folder = `${path(found[1]!, found[2])}${found[3]}`;
  return new URL(folder, base.replace(/\/?$/, '/'));
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\]|.*\.localhost)$/;

/** Throws `integrity` for what anybody on the way could replace unseen. */
export function checkProtected(url: URL): void {
  if (url.protocol !== 'http:' || loopback.test(url.hostname)) return;
  throw new MettleError('integrity', `${shown(url)}: over plain http anybody on the way can replace a model.`, {
    hint: 'Use https, or pin the manifest (ADDRESS#sha256-..., which "mettle verify" prints) or the key of its publisher.',
  });
}

/** The manifest in a folder, unless the URL names a JSON file itself. */
export function manifestUrl(url: URL): URL {
  if (url.pathname.endsWith('.json')) return url;
  const manifest = new URL(url);
  manifest.pathname += url.pathname.endsWith('/') ? 'manifest.json' : '/manifest.json';
  return manifest;
}

/** A file beside the manifest, with what stands behind its question mark: the signature of a signed address is for the whole folder. */
export function besides(manifest: URL, path: string): URL {
  const url = new URL(path, manifest);
  url.search = manifest.search;
  return url;
}
