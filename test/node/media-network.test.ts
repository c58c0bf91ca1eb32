/** Films over HTTP from a server that sends whole files only. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openClip } from '../../sdk/media/clip.ts';
import { withGap } from '../helpers/film-edits.ts';

async function serve(bytes: Uint8Array): Promise<string> {
  const server: Server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Length': bytes.length });
    response.end(bytes);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/film.mp4`;
}

async function countSegments(url: string): Promise<number> {
  await using clip = await openClip(url);
  let count = 0;
  for await (const _ of clip.segments({ frame: { width: 8, height: 8 }, sampleRate: 16_000 })) count++;
  return count;
}

test('a film whose index is at its end is read without ranges', async () => {
  const film = await readFile(new URL('../fixtures/films/film.mp4', import.meta.url));
  expect(await countSegments(await serve(withGap(film, 1_000_000)))).toBe(3);
});

test('where the index is too far behind what it names, the server is blamed and not the film', async () => {
  const film = await readFile(new URL('../fixtures/films/film.mp4', import.meta.url));
  await expect(countSegments(await serve(withGap(film, 80_000_000)))).rejects.toMatchObject({
    name: 'MettleError',
    code: 'network',
    hint: expect.stringContaining('206'),
  });
});
