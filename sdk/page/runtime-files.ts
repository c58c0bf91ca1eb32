/**
 * The runtime's own files, each checked against the digest that is built into this SDK before it runs. WebAssembly runs from the very bytes that were checked. A script
 * runs from its address, since a page whose policy is `script-src 'self'` runs nothing else: its bytes are fetched from there and checked first, and a server that
 * answers the second request otherwise is not found out.
 */
import { assetsHint } from '../contract/assets-hint.ts';
import { sha256Integrity } from '../contract/integrity.ts';
import { looksLike } from '../contract/looks-like.ts';
import { runtimeVersion } from '../contract/version.ts';
import { MettleError } from '../errors.ts';
import { fetchFile } from './http.ts';
import { type RuntimeFile, runtimeDigests } from './runtime-digests.ts';

export type FetchOptions = { signal?: AbortSignal; onBytes?: (received: number) => void };

/** The bytes of one of the files in `folder`. Throws `integrity` where they are others than this SDK was made with, and as `fetchFile` does. */
export async function fetchRuntimeFile(
  folder: URL,
  name: RuntimeFile,
  options: FetchOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(name, folder);
  const { bytes: expected } = runtimeDigests[name];
  const exceeded = () => wrongFile(url, name, `more than ${expected} bytes`);
  const onResponse = name.endsWith('.mjs') ? (response: Response) => checkType(url, response) : undefined;
  const bytes = await fetchFile(url, { ...options, limit: { bytes: expected, exceeded }, onResponse });
  await checkRuntimeFile(url, name, bytes);
  return bytes;
}

/** Throws `integrity` unless the bytes are those of the file in onnxruntime-web as this SDK was made with it. */
export async function checkRuntimeFile(url: URL | string, name: RuntimeFile, bytes: Uint8Array): Promise<void> {
  const { bytes: expected, integrity } = runtimeDigests[name];
  const digest = await sha256Integrity(bytes);
  if (bytes.byteLength !== expected || digest !== integrity)
    throw wrongFile(url, name, `${looksLike(bytes)} with ${digest}`);
}

function wrongFile(url: URL | string, name: RuntimeFile, got: string): MettleError {
  const { bytes, integrity } = runtimeDigests[name];
  return new MettleError(
    'integrity',
    `${url} is not ${name} of onnxruntime-web ${runtimeVersion}: expected ${bytes} bytes with ${integrity}, got ${got}.`,
    { hint: `The file was damaged or replaced, or is of another version. ${assetsHint}` },
  );
}

/** Browsers run a module only where the server calls it JavaScript, and say little where it does not. */
function checkType(url: URL, { headers }: Response): void {
  const type = headers.get('content-type') ?? 'no type';
  if (/^(text|application)\/(x-)?(java|ecma)script\b/i.test(type) || /^text\/html\b/i.test(type)) return;
  throw new MettleError('network', `${url} is served as ${type}, so no browser runs it; expected text/javascript.`, {
    hint: 'Let the server send "Content-Type: text/javascript" for files that end in .mjs.',
  });
}
