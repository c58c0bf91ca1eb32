/**
 * Reading over HTTP with the platform's own `fetch`, for pages and Node alike: whole files with progress, and media sources that read ranges.
 * Failures become `not-found` or `network` errors that name the URL. Nothing is cached here, and only the URL given is asked for.
 */
import { UrlSource } from 'mediabunny';
import { untilAborted } from '../abort.ts';
import type { ReadOptions } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';
import { Body } from './body.ts';

/** `onResponse` may look at the headers, and throw. */
export type FetchOptions = ReadOptions & { onResponse?: (response: Response) => void };

/**
 * The whole body at `url`, held once; a connection that breaks is tried twice more. `onBytes` gets the bytes received so far, which are fewer again after that. Rejects
 * with `not-found`, `network`, the error of `limit` as soon as the server says or sends more than that, or the signal's reason.
 */
export async function fetchFile(url: URL, options: FetchOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await fetchOnce(url, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const pause = pauseAfter(attempts, error);
      if (pause === null) throw error;
      await untilAborted(new Promise((resolve) => setTimeout(resolve, pause * 1000)), options.signal);
    }
  }
}

async function fetchOnce(url: URL, options: FetchOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, onBytes, limit, onResponse } = options;
  const response = await fetchChecked(url, { signal });
  const reader = response.body?.getReader();
  try {
    onResponse?.(response);
    const body = new Body(sizeOf(response), limit);
    for (;;) {
      const part = await reader?.read().catch((error: unknown) => {
        signal?.throwIfAborted();
        throw networkError(url, `broke off after ${body.length} bytes`, error);
      });
      if (!part || part.done) return body.finish();
      body.push(part.value);
      onBytes?.(body.length);
    }
  } catch (error) {
    await reader?.cancel(error).catch(() => {});
    throw error;
  }
}

/** Bytes of the body where the server tells; of a compressed one it tells what goes over the wire. */
function sizeOf({ headers }: Response): number | null {
  const length = headers.get('content-length');
  return length !== null && /^\d{1,15}$/.test(length) && !headers.get('content-encoding') ? Number(length) : null;
}

/** Times in a row that the same stretch of a source is asked for: mediabunny goes on asking where answers break off. */
const mostTries = 5;

/** A media source over HTTP. Reads reject with `not-found` or `network`; a broken connection is tried twice more, an answer that breaks off a few times. */
export function urlSource(url: URL): UrlSource {
  let last: string | null = null;
  let tries = 0;
  return new UrlSource(url, {
    async fetchFn(input, init) {
      const range = new Headers(init?.headers).get('range') ?? '';
      tries = range === last ? tries + 1 : 1;
      last = range;
      if (tries > mostTries) throw networkError(url, `broke off ${mostTries} times in a row`);
      return await fetchChecked(input, init);
    },
    getRetryDelay: pauseAfter,
  });
}

async function fetchChecked(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const url = input instanceof Request ? input.url : input;
  let response: Response;
  try {
    response = await fetch(input, init);
  } catch (error) {
    init?.signal?.throwIfAborted();
    throw networkError(url, 'could not be fetched', error);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) {
    throw new MettleError('not-found', `${url} does not exist (HTTP ${response.status}).`, {
      hint: 'Check the address.',
    });
  }
  throw networkError(url, `was refused with HTTP ${response.status} ${response.statusText}`.trimEnd());
}

function networkError(url: URL | string, what: string, cause?: unknown): MettleError {
  return new MettleError('network', `${url} ${what}.`, {
    hint: isForeign(url)
      ? 'Check the connection, and that the server lets pages of other origins read it (CORS).'
      : 'Check the connection and the address.',
    cause,
  });
}

/** Where a page asks another origin. Node, and a page that asks its own, know no CORS. */
function isForeign(url: URL | string): boolean {
  const own = globalThis.location?.origin;
  return own !== undefined && /^https?:/.test(own) && new URL(url).origin !== own;
}

/** Seconds before the next attempt, null where there is none: an answer of the server is final; a connection that failed has the platform's error as its cause. */
function pauseAfter(attempts: number, error: unknown): number | null {
  const failed = error instanceof MettleError ? error.code === 'network' && error.cause !== undefined : true;
  return failed && attempts <= 2 ? attempts / 2 : null;
}
