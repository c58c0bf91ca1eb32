/**
 * One request over HTTP, and what its failure means: whether to ask again, and when. A part that does not come in time, a connection that breaks and a server that is
 * busy are passing troubles; everything else is an answer.
 */
import type { Http } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';

export type Ask = {
  signal: AbortSignal | undefined;
  /** Seconds without a byte after which a request is given up. */
  stallSeconds: number;
  /** The part of the file that is wanted, `end` not included, and the tag of the version that the rest is of. */
  range?: { start: number; end: number; tag: string | null };
  /** How the platform's own cache of HTTP is used. */
  cache: 'no-store' | 'no-cache';
  /** Whether the same address was answered before. */
  answered?: boolean;
};

export type Answer = {
  /** Where in the file the body begins: 0 from servers that know no ranges. */
  start: number;
  /** A tag that names this version of the file to the byte; null where the server gives none. */
  tag: string | null;
  contentType: string;
  /** Bytes of the body as the server states them: of a compressed one they are others, which a page is not always told. */
  stated: number | null;
  /** The body as it comes. Rejects with a `network` error that may be passing, or with the signal's reason. */
  parts(): AsyncGenerator<Uint8Array, void, void>;
  /** Ends the connection where nobody wants the body. */
  end(): void;
};

/** Milliseconds that a server wants to be left alone, or null, by the errors that may pass. */
const passing = new WeakMap<object, number | null>();

/** Marks an error as one after which to ask again. */
export function mayPass(error: MettleError, afterMs: number | null = null): MettleError {
  passing.set(error, afterMs);
  return error;
}

/** Undefined where asking again is of no use. */
export const waitOf = (error: unknown): number | null | undefined =>
  error instanceof MettleError ? passing.get(error) : undefined;

/** Answers that the part which was asked for is not there (HTTP 416). */
const unsatisfiable = new WeakSet<object>();
export const isUnsatisfiable = (error: unknown): boolean => unsatisfiable.has(error as object);

/** Throws `not-found`, `network`, or the signal's reason. */
export async function ask(
  http: Http,
  url: URL,
  { signal, stallSeconds, range, cache, answered = false }: Ask,
): Promise<Answer> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const leave = () => signal?.removeEventListener('abort', abort);
  const stalled = mayPass(
    new MettleError('network', `${shown(url)} sent nothing for ${stallSeconds} s.`, {
      hint: 'The server or the connection hangs: try again later.',
    }),
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    timer = setTimeout(() => controller.abort(stalled), stallSeconds * 1000);
    try {
      return await work;
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  try {
    const headers = range && rangeHeaders(http, url, range);
    const response = await inTime(http.fetch(url, { signal: controller.signal, headers, cache })).catch(
      async (error: unknown) => {
        throw await failed(http, url, error, { begun: false, answered, signal });
      },
    );
    if (!response.ok) {
      await response.body?.cancel().catch(() => {});
      throw refused(url, response);
    }
    return {
      start: startOf(response, range?.start ?? 0),
      tag: tagOf(response),
      end() {
        leave();
        controller.abort();
      },
      stated: statedBy(response),
      contentType: response.headers.get('content-type') ?? '',
      async *parts() {
        const reader = response.body?.getReader();
        let whole = false;
        try {
          for (;;) {
            const part = await inTime(reader?.read() ?? Promise.resolve({ done: true as const, value: undefined }));
            if (part.done) {
              whole = true;
              return;
            }
            yield part.value;
          }
        } catch (error) {
          throw await failed(http, url, error, { begun: true, answered: true, signal });
        } finally {
          leave();
          // Whoever has enough ends the connection too.
          if (!whole) controller.abort();
        }
      },
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/** Signed addresses carry secrets behind their question mark, which belong into no message. */
export const shown = (url: URL): string => (url.search ? `${url.origin}${url.pathname}?…` : `${url}`);

function rangeHeaders(http: Http, url: URL, { start, end, tag }: NonNullable<Ask['range']>): Record<string, string> {
  const range = { Range: `bytes=${start}-${end - 1}` };
  return tag && http.mayCompare(url) ? { ...range, 'If-Range': tag } : range;
}

/** Across origins a page often cannot read `Content-Range`: then the server is taken at its word, and digests find out. */
function startOf(response: Response, wanted: number): number {
  if (response.status !== 206) return 0;
  const told = /^bytes (\d{1,15})-/.exec(response.headers.get('content-range') ?? '');
  return told ? Number(told[1]) : wanted;
}

function statedBy({ headers }: Response): number | null {
  const length = headers.get('content-length');
  return length !== null && /^\d{1,15}$/.test(length) && !headers.get('content-encoding') ? Number(length) : null;
}

/** Whether a body is far longer than `bytes` by what its server says: compressing makes none longer by a hundredth. */
export const surelyLonger = ({ stated }: Answer, bytes: number): boolean =>
  stated !== null && stated > 1.01 * bytes + 1024;

/** Of a compressed body a tag says nothing about ranges; a weak one, nothing about bytes. */
function tagOf({ headers }: Response): string | null {
  const tag = headers.get('etag');
  return tag?.startsWith('"') && !headers.get('content-encoding') ? tag : null;
}

async function failed(
  http: Http,
  url: URL,
  cause: unknown,
  { begun, answered, signal }: { begun: boolean; answered: boolean; signal: AbortSignal | undefined },
): Promise<unknown> {
  if (signal?.aborted) return signal.reason;
  if (cause instanceof MettleError) return cause;
  const { what, hint, final } = await http.explain(url, cause, answered);
  const how = begun ? 'broke off' : 'could not be fetched';
  const error = new MettleError('network', `${shown(url)} ${how}: ${what}.`, { hint, cause });
  return final ? error : mayPass(error);
}

function refused(url: URL, response: Response): MettleError {
  const { status, statusText } = response;
  if (status === 404 || status === 410) {
    return new MettleError('not-found', `${shown(url)} does not exist (HTTP ${status}).`, {
      hint: 'Check the address.',
    });
  }
  const message = `${shown(url)} was refused with HTTP ${status} ${statusText}`.trimEnd();
  if (status === 401 || status === 403) {
    const hint = 'The server wants to know who asks: check the address, or its signature where it has one.';
    return new MettleError('network', `${message}.`, { hint });
  }
  const error = new MettleError('network', `${message}.`, { hint: 'The server could not answer: try again later.' });
  if (status === 416) unsatisfiable.add(error);
  return status === 408 || status === 416 || status === 429 || status >= 500
    ? mayPass(error, waitAsked(response))
    : error;
}

/** `Retry-After` is a number of seconds, or a time by the clock of the server, which need not be ours and is not always told. */
function waitAsked({ headers }: Response): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  if (/^\d{1,6}$/.test(value)) return Number(value) * 1000;
  const now = headers.get('date');
  const wait = Date.parse(value) - Date.parse(now ?? '');
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
