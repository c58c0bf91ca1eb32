/** One film of a batch: the name of its outputs, and what tells whether it is still the film that they were made from. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MettleError } from '../../errors.ts';
import { stemOf } from '../output/film-name.ts';
import { nodeHttp } from '../request.ts';

export type Film = {
  /** Path or address. */
  address: string;
  /** Of its outputs; no two films share one. */
  name: string;
};

/** Hexadecimal digits of the digest in a name: a million films meet with a probability of 2e-3 in a billion. */
const digits = 16;
/** Characters, of up to four bytes each: with the digest and what staging adds a name stays within 255 bytes. */
const longestStem = 48;

/** The same for a path however it is written: relative, absolute, or as a `file:` URL. */
export function filmOf(address: string): Film {
  const digest = createHash('sha256').update(wholeAddress(address)).digest('hex').slice(0, digits);
  return { address, name: `${[...stemOf(address)].slice(0, longestStem).join('')}-${digest}` };
}

const isRemote = (address: string): boolean => /^https?:/i.test(address) && URL.canParse(address);

function pathOf(address: string): string {
  return /^file:/i.test(address) ? fileURLToPath(address) : resolve(address);
}

const wholeAddress = (address: string): string => (isRemote(address) ? new URL(address).href : pathOf(address));

/**
 * Text that changes with the film: size and time of a file; of an address what its server says of it, or nothing where it does not.
 * @throws MettleError `not-found`, `network`
 */
export async function filmMark({ address }: Film, signal?: AbortSignal): Promise<string> {
  if (isRemote(address)) return await remoteMark(new URL(address), signal);
  const facts = await stat(pathOf(address)).catch((cause: unknown) => {
    throw new MettleError('not-found', `${address} does not exist, or cannot be read.`, {
      hint: 'Check the path.',
      cause,
    });
  });
  return `${facts.size} ${Math.floor(facts.mtimeMs)}`;
}

async function remoteMark(url: URL, signal?: AbortSignal): Promise<string> {
  const response = await nodeHttp.fetch(url, { method: 'HEAD', signal }).catch(async (cause: unknown) => {
    signal?.throwIfAborted();
    if (cause instanceof MettleError) throw cause;
    const { what, hint } = await nodeHttp.explain(url, cause, false);
    throw new MettleError('network', `${url.origin}${url.pathname} cannot be asked for: ${what}.`, { hint, cause });
  });
  await response.body?.cancel();
  if (!response.ok) return '';
  const { headers } = response;
  return ['etag', 'last-modified', 'content-length'].map((name) => headers.get(name) ?? '').join(' ');
}
