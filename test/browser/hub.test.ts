/** The hub in a real page, whose server is another than that of the models: faults, the browser's own cache, CORS. */
import { describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import { sha256Integrity } from '../../sdk/contract/integrity.ts';
import { MettleError, type Warning } from '../../sdk/errors.ts';
import { openCache } from '../../sdk/hub/cache.ts';
import { loadModel } from '../../sdk/hub/hub.ts';
import { bytesFor } from '../../sdk/page/bytes.ts';
import { faultCases, logOf, patienceFor } from '../helpers/fault-cases.ts';
import { chunkBytes, madeWeights, weightsBytes, weightsPath } from '../helpers/fault-file.ts';

declare module 'vitest/browser' {
  interface BrowserCommands {
    startFaults: () => Promise<string>;
  }
}

const server = await commands.startFaults();
const right = await sha256Integrity(madeWeights());
/** Of bytes; of anything else, that thing, which a failed test then shows. */
const digestOf = async (what: unknown): Promise<unknown> =>
  what instanceof Uint8Array ? await sha256Integrity(what) : what;
const own = { platform: bytesFor() };

describe('a server with the fault', () => {
  test.each(faultCases)('$fault', async ({ fault, error, mostSent, keeps = weightsBytes }) => {
    const run = `page-${fault}-${Date.now()}`;
    const options = { cache: run, stallSeconds: patienceFor(fault), ...own };
    const load = () => loadModel(`${server}/${fault}/${run}/`, 'adapter', 'wasm', options);
    const first = await load().then(
      ({ files }) => files[weightsPath]!,
      (reason: unknown) => reason,
    );
    if (error) {
      expect(first).toBeInstanceOf(MettleError);
      const { code, message, hint } = first as MettleError;
      expect(message).toContain(`${server}/${fault}/${run}/${weightsPath}`);
      expect(message).toMatch(error.message);
      expect(message + hint).not.toMatch(/CORS/);
      expect(code).toBe(error.code);
      expect(hint).toMatch(error.hint ?? /./);
    } else expect(await digestOf(first)).toBe(right);
    const { sent } = await logOf(server, run);
    if (mostSent !== undefined) expect(sent).toBeLessThanOrEqual(mostSent);

    const cache = await openCache({ cache: run, ...own });
    expect(await cache.verify()).toMatchObject({ damaged: 0 });
    await fetch(`${server}/heal/${run}`);
    expect(await digestOf((await load()).files[weightsPath])).toBe(right);
    expect((await logOf(server, run)).sent).toBeLessThanOrEqual(weightsBytes - keeps);

    await fetch(`${server}/heal/${run}`);
    expect(await digestOf((await load()).files[weightsPath])).toBe(right);
    expect((await logOf(server, run)).asked).toEqual([]);
    await caches.delete(run);
  });

  test('that lets no page of another origin read it', async () => {
    const address = `${server}/no-cors/page-no-cors/`;
    const error = await loadModel(address, 'adapter', 'wasm', { cache: false, ...own }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: 'network',
      message: expect.stringContaining(`${address}manifest.json could not be fetched`),
    });
    if (!crossOriginIsolated)
      expect(error).toMatchObject({ hint: expect.stringContaining('Access-Control-Allow-Origin') });
  });
});

describe('the cache of the browser', () => {
  test('fills from two tabs at once, and answers both without network', async () => {
    const run = `page-tabs-${Date.now()}`;
    const address = `${server}/drip/${run}/`;
    const tab = document.createElement('iframe');
    document.body.append(tab);
    // Another global object has modules, and downloads, of its own; the store is that of the site.
    const other = async (): Promise<unknown> => {
      const loading = (tab.contentWindow as unknown as { eval(code: string): Promise<unknown> }).eval(
        `import(${JSON.stringify(new URL('../../sdk/hub/hub.ts', import.meta.url).href)})
          .then(({ loadModel }) => loadModel(${JSON.stringify(address)}, 'adapter', 'wasm', { cache: ${JSON.stringify(run)} }))
          .then(({ files }) => Array.from(files[${JSON.stringify(weightsPath)}]))`,
      );
      return new Uint8Array((await loading) as number[]);
    };
    const here = loadModel(address, 'adapter', 'wasm', { cache: run, ...own }).then(({ files }) => files[weightsPath]);
    for (const bytes of await Promise.all([here, other()])) expect(await digestOf(bytes)).toBe(right);
    expect(await (await openCache({ cache: run, ...own })).verify()).toMatchObject({ damaged: 0 });
    await fetch(`${server}/heal/${run}`);
    for (const bytes of [await other()]) expect(await digestOf(bytes)).toBe(right);
    expect((await logOf(server, run)).asked).toEqual([]);
    tab.remove();
    await caches.delete(run);
  });

  test('that is full, or that a private window lacks, is a warning and no more', async () => {
    const run = `page-full-${Date.now()}`;
    const quota = new DOMException('Quota exceeded.', 'QuotaExceededError');
    const platform = bytesFor();
    const stores = {
      full: async () => ({ ...(await platform.openStore!(run)), put: () => Promise.reject(quota) }),
      private: () => Promise.reject(new DOMException('The operation is insecure.', 'SecurityError')),
    };
    for (const [name, openStore] of Object.entries(stores)) {
      const warnings: Warning[] = [];
      const onWarning = (warning: Warning) => warnings.push(warning);
      const options = { platform: { ...platform, openStore }, onWarning };
      const { files } = await loadModel(`${server}/none/${run}/`, 'adapter', 'wasm', options);
      expect(await digestOf(files[weightsPath])).toBe(right);
      const reason = name === 'full' ? /QuotaExceededError/ : /SecurityError/;
      expect(warnings.map(({ code }) => code)).toEqual(warnings.map(() => 'no-cache'));
      expect(warnings[0]!.message).toMatch(reason);
    }
    await caches.delete(run);
  });

  test('lists, mends and prunes', async () => {
    const run = `page-own-${Date.now()}`;
    const load = () => loadModel(`${server}/none/${run}/`, 'adapter', 'wasm', { cache: run, ...own });
    await load();
    const cache = await openCache({ cache: run, ...own });
    expect(await cache.list()).toMatchObject([{ id: 'toybox-ave', kind: 'adapter' }]);
    const store = await caches.open(run);
    const requests = await store.keys();
    for (const request of requests) {
      const bytes = new Uint8Array(await (await store.match(request))!.arrayBuffer());
      if (bytes.byteLength !== chunkBytes) continue;
      bytes.fill(0, chunkBytes / 2);
      await store.put(request, new Response(bytes));
      break;
    }
    expect(await cache.verify()).toMatchObject({ damaged: 1 });
    await fetch(`${server}/heal/${run}`);
    expect(await digestOf((await load()).files[weightsPath])).toBe(right);
    expect((await logOf(server, run)).sent).toBe(chunkBytes);
    expect(await cache.prune(0)).toBeGreaterThan(weightsBytes);
    expect(await store.keys()).toEqual([]);
    await caches.delete(run);
  });
});
