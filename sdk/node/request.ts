/** Requests of Node, by its own `fetch`. Redirects are followed by hand, so that a protocol is refused before it is spoken. */
import type { Http } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';

const mostRedirects = 20;

const causes: Record<string, [what: string, hint: string]> = {
  ENOTFOUND: ['there is no host of that name', 'Check the address and the connection.'],
  EAI_AGAIN: ['the name of the host cannot be looked up', 'Check the connection.'],
  ECONNREFUSED: ['nothing listens there', 'Check the address, and that the server runs.'],
  ECONNRESET: ['the connection was reset', 'Try again; where it stays so, ask who runs the server.'],
  UND_ERR_SOCKET: ['the other side closed the connection', 'Try again; where it stays so, ask who runs the server.'],
  ETIMEDOUT: ['the connection timed out', 'Check the connection, and that the server runs.'],
  UND_ERR_CONNECT_TIMEOUT: ['the connection timed out', 'Check the connection, and that the server runs.'],
};

export const nodeHttp: Http = {
  async fetch(url, init) {
    let at = url;
    for (let hop = 0; hop <= mostRedirects; hop++) {
      const response = await fetch(at, { ...init, redirect: 'manual' });
      const next = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || next === null) return response;
      await response.body?.cancel();
      at = nextOf(url, at, next);
    }
    throw new MettleError('network', `${named(url)} redirects more than ${mostRedirects} times.`, {
      hint: 'The server sends its visitors in a circle: check the address, or ask who runs it.',
    });
  },
  async explain(_url, cause) {
    const below = (cause as Error).cause as (Error & { code?: string }) | undefined;
    const code = below?.code ?? '';
    const [what, hint] = causes[code] ?? [
      below?.message || (cause as Error).message,
      'Check the address and the connection.',
    ];
    return { what: code ? `${what} (${code})` : what, hint };
  },
  mayCompare: () => true,
  isOwn: () => false,
};

const named = (url: URL): string => `${url.origin}${url.pathname}`;

function nextOf(first: URL, at: URL, location: string): URL {
  const next = URL.canParse(location, at) ? new URL(location, at) : null;
  if (next?.protocol === first.protocol) return next;
  throw new MettleError('network', `${named(first)} redirects to ${next ? next.origin : 'no address'}.`, {
    hint: 'Redirects to another protocol are refused: name that address itself.',
  });
}
