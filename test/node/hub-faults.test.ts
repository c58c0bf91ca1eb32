/** Downloads in Node from a server with faults: nothing wrong runs or stays, the error says what and where, and the second try asks for what is missing alone. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { openCache } from '../../sdk/hub/cache.ts';
import { loadModel } from '../../sdk/hub/hub.ts';
import { faultCases, logOf, patienceFor } from '../helpers/fault-cases.ts';
import { madeWeights, weightsBytes, weightsPath } from '../helpers/fault-file.ts';
import { type FaultServer, faultServer } from '../helpers/fault-server.ts';

/** Of bytes; of anything else, that thing, which a failed test then shows. */
const digestOf = (what: unknown): unknown =>
  what instanceof Uint8Array ? createHash('sha256').update(what).digest('hex') : what;

let server: FaultServer;
let folder = '';
beforeAll(async () => {
  server = await faultServer();
  folder = await mkdtemp(join(tmpdir(), 'mettle-faults-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

describe.concurrent('a server with the fault', () => {
  test.each(faultCases)('$fault', async ({ fault, error, mostSent, keeps = weightsBytes }) => {
    const run = `node-${fault}`;
    const cache = join(folder, run);
    const address = `${server.url}/${fault}/${run}/`;
    const load = () => loadModel(address, 'adapter', 'wasm', { cache, stallSeconds: patienceFor(fault) });
    const first = await load().then(
      ({ files }) => files[weightsPath]!,
      (reason: unknown) => reason as MettleError,
    );
    if (error) {
      expect(first).toBeInstanceOf(MettleError);
      const { code, message, hint } = first as MettleError;
      expect(message).toContain(`${address}${weightsPath}`);
      expect(message).toMatch(error.message);
      expect(code).toBe(error.code);
      expect(hint).toMatch(error.hint ?? /./);
    } else expect(digestOf(first)).toBe(digestOf(madeWeights()));
    const { sent } = await logOf(server.url, run);
    if (mostSent !== undefined) expect(sent).toBeLessThanOrEqual(mostSent);

    expect(await (await openCache({ cache })).verify()).toMatchObject({ damaged: 0 });
    expect((await readdir(cache)).filter((name) => name.endsWith('.part'))).toEqual([]);
    await fetch(`${server.url}/heal/${run}`);
    const { files } = await load();
    expect(digestOf(files[weightsPath])).toBe(digestOf(madeWeights()));
    const again = await logOf(server.url, run);
    expect(again.sent).toBeLessThanOrEqual(weightsBytes - keeps);

    await fetch(`${server.url}/heal/${run}`);
    expect(digestOf((await load()).files[weightsPath])).toBe(digestOf(madeWeights()));
    expect((await logOf(server.url, run)).asked).toEqual([]);
  });
});
