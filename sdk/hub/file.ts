/**
 * One file of somebody else's, by its address. With a known size and digest it comes through the same door as files of models. Without them it is handed on as it arrives,
 * over a connection that nobody can change unseen, and goes on where it broke as far as the server says which version of the file it sends.
 */
import { bytesText, limits } from '../contract/limits.ts';
import type { Integrity } from '../contract/manifest.ts';
import { MettleError } from '../errors.ts';
import { type AccessOptions, accessFor } from './access.ts';
import { checkProtected } from './addresses.ts';
import { readVerified } from './download.ts';
import { offlineError } from './offline.ts';
import { ask, mayPass, shown } from './request.ts';
import { retrying } from './retry.ts';

export type FileOptions = AccessOptions & { signal?: AbortSignal; onBytes?: (received: number) => void };

/** Throws `integrity` for other bytes, `not-found`, `network`, or the signal's reason. Keeps nothing: what is made of the file is kept. */
export async function fetchVerified(
  url: URL,
  wanted: { bytes: number; integrity: Integrity },
  { signal, onBytes, ...options }: FileOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await readVerified(accessFor({ ...options, cache: false }), url, wanted, { signal, onBytes });
}

/**
 * Hands each part to `onPart` with its place in the file; where it must begin anew, from place 0 again. Returns the size. Throws `integrity` over plain http, where
 * nothing would tell a changed file, and otherwise as `fetchVerified`.
 */
export async function fetchUnverified(
  url: URL,
  onPart: (at: number, part: Uint8Array) => Promise<void>,
  { signal, ...options }: Omit<FileOptions, 'onBytes'> = {},
): Promise<number> {
  checkProtected(url);
  const { platform, offline, stallSeconds } = accessFor({ ...options, cache: false });
  if (offline || !platform.http) throw offlineError(url);
  let [received, furthest, total] = [0, 0, null as number | null];
  let tag: string | null = null;
  const attempt = async (): Promise<void> => {
    const range = received > 0 && tag !== null && total !== null ? { start: received, end: total, tag } : undefined;
    const answer = await ask(platform.http!, url, { signal, stallSeconds, range, cache: 'no-store' });
    if (answer.start !== 0 && answer.start !== range?.start) {
      answer.end();
      tag = null;
      throw mayPass(brokenOff(url, 'sent another part of the file than was asked for'));
    }
    received = answer.start;
    if (received === 0) [tag, total] = [answer.tag, answer.stated];
    for await (const part of answer.parts()) {
      if (received + part.byteLength > limits.fileBytes) throw tooLong(url);
      await onPart(received, part);
      received += part.byteLength;
      furthest = Math.max(furthest, received);
    }
    if (total !== null && received !== total) {
      throw mayPass(brokenOff(url, `ended after ${received} of ${total} bytes`));
    }
  };
  await retrying(attempt, () => furthest, signal);
  return received;
}

const brokenOff = (url: URL, what: string): MettleError =>
  new MettleError('network', `${shown(url)} ${what}.`, {
    hint: 'The server or the connection broke off: try again.',
  });

const tooLong = (url: URL): MettleError =>
  new MettleError('invalid-file', `${shown(url)}: more than ${bytesText(limits.fileBytes)}, which no checkpoint has.`, {
    hint: 'Check that the address leads to the file that was meant.',
  });
