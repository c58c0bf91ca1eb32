/**
 * Reading over HTTP with the platform's own `fetch`, for pages and Node alike: whole files with progress, and media sources that read ranges.
 * Failures become `not-found` or `network` errors that name the URL. Nothing is cached here, and only the URL given is asked for.
 */
import { UrlSource } from 'mediabunny';
import type { ReadOptions } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';

/** The whole body at `url`. `onBytes` gets the bytes received so far. Rejects with `not-found`, `network`, or the signal's reason. */
export async function fetchFile(url: URL, { signal, onBytes }: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetchChecked(url, { signal });
  let received = 0;
  const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      received += chunk.byteLength;
      onBytes?.(received);
      controller.enqueue(chunk);
    },
  });
  try {
    const body = response.body?.pipeThrough(counter) ?? null;
    return new Uint8Array(await new Response(body).arrayBuffer());
  } catch (error) {
    signal?.throwIfAborted();
    throw networkError(url, `broke off after ${received} bytes`, error);
  }
}

/** A media source over HTTP. Reads reject with `not-found` or `network`; a broken connection is tried twice more. */
export function urlSource(url: URL): UrlSource {
  return new UrlSource(url, {
    fetchFn: (input, init) => fetchChecked(input, init),
    getRetryDelay: (attempts, error) => (isFinal(error) || attempts > 2 ? null : attempts / 2),
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
    hint: 'Check the connection and, across origins, that the server allows it (CORS).',
    cause,
  });
}

/** An answer of the server is final; a connection that could not be made has the platform's error as its cause. */
function isFinal(error: unknown): boolean {
  return error instanceof MettleError && error.cause === undefined;
}
