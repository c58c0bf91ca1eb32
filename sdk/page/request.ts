/** Requests of a page. The browser follows redirects by itself, and tells a page little of why a request failed. */
import type { Http } from '../contract/bytes.ts';
import { MettleError } from '../errors.ts';

const isOwn = (url: URL): boolean => url.origin === globalThis.location.origin;

export const pageHttp: Http = {
  async fetch(url, init) {
    const response = await fetch(url, init);
    if (!response.url || new URL(response.url).protocol === url.protocol) return response;
    await response.body?.cancel().catch(() => {});
    throw new MettleError('network', `${url.origin}${url.pathname} redirects to ${new URL(response.url).origin}.`, {
      hint: 'Redirects to another protocol are refused: name that address itself.',
    });
  },
  async explain(url, cause, begun) {
    const what = (cause as Error).message || 'the connection failed';
    if (globalThis.navigator?.onLine === false)
      return { what: 'this device is offline', hint: 'Connect, and try again.' };
    const hint = 'Check the address, the connection, and that the server runs.';
    if (begun || isOwn(url)) return { what, hint };
    if (await answers(url)) {
      return {
        what: 'the server does not let this page read it (CORS)',
        hint: `Have the server answer with "Access-Control-Allow-Origin: ${globalThis.location.origin}", or put the files on the page's own server.`,
        final: true,
      };
    }
    return { what, hint };
  },
  mayCompare: isOwn,
  isOwn,
};

/** Whether anything is there at all, readable or not: what a page may ask of any server. */
async function answers(url: URL): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(5000);
    await fetch(url, { mode: 'no-cors', method: 'HEAD', cache: 'no-store', credentials: 'omit', signal });
    return true;
  } catch {
    return false;
  }
}
