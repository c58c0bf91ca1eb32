/** What a page gives the SDK: URLs and whole files. */
import { describe, expect, it } from 'vitest';
import { bytesFor } from '#bytes';

const door = bytesFor();

const here = import.meta.url;

describe('resolveUrl', () => {
  it('resolves against the page', () => {
    expect(door.resolveUrl('/models/x').href).toBe(`${location.origin}/models/x`);
    expect(door.resolveUrl('https://example.com/y').href).toBe('https://example.com/y');
    expect(door.resolveUrl('clips/z').href).toBe(new URL('clips/z', document.baseURI).href);
    expect(new URL(door.modelsUrl).pathname.endsWith('/adapters/')).toBe(true);
  });

  it('refuses what is no URL', () => {
    expect(() => door.resolveUrl('http://')).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('readFile', () => {
  it('reads all bytes and counts them', async () => {
    const counts: number[] = [];
    const read = await door.readFile(new URL(here), { onBytes: (received) => counts.push(received) });
    expect(new TextDecoder().decode(read)).toBe(await (await fetch(here)).text());
    expect(counts.at(-1)).toBe(read.length);
  });

  it('names what is missing', async () => {
    const url = new URL('/node_modules/no-such-package/none.bin', here);
    const error = door.readFile(url, {});
    await expect(error).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('none.bin') });
  });

  it("rejects with the signal's reason", async () => {
    const reason = new Error('enough');
    const error = door.readFile(new URL(here), { signal: AbortSignal.abort(reason) });
    await expect(error).rejects.toBe(reason);
  });
});
