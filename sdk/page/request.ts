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
  async explain(url, cause, answered) {
    const what = (cause as Error).message || 'the connection failed';
    if (globalThis.navigator?.onLine === false)
      return { what: 'this device is offline', hint: 'Connect, and try again.' };
    const hint = 'Check the address, the connection, and that the server runs.';
    if (answered || isOwn(url)) return { what, hint };
    if ((await answers(url, 'no-cors')) && !(await answers(url, 'cors'))) {
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

/** Whether a request comes to an answer: one of mode `no-cors` may be made to any server, and tells no more than that. */
async function answers(url: URL, mode: RequestMode): Promise<boolean> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 5000);
  try {
    await fetch(url, { mode, cache: 'no-store', signal: controller.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    // The body is of no interest.
    controller.abort();
  }
}
