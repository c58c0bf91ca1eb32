/// <reference types="vite/client" />
/** Two published networks as a pair of backbones in a real page, on WASM: the same events as in Node. Skipped without ../shared/data/backbones. */
import * as ort from 'onnxruntime-web';
import { afterEach, expect, test, vi } from 'vitest';
import { server } from 'vitest/browser';
import { createMettle } from '../../sdk/index.ts';
import { readSafetensors } from '../../sdk/onnx/safetensors.ts';
import { byoClip, byoEvents, byoPair, byoProbabilities } from '../helpers/byo-cases.ts';

const runtimePath = '/node_modules/onnxruntime-web/dist/';

/** A file of ../shared/data/backbones, or null where it is absent. */
async function shared(path: string): Promise<Uint8Array | null> {
  const { pathname } = new URL(`${server.config.root}/../shared/data/backbones/${path}`, 'file:///');
  const response = await fetch(`/@fs${pathname}`);
  const found = response.ok && !response.headers.get('content-type')?.startsWith('text/html');
  return found ? new Uint8Array(await response.arrayBuffer()) : null;
}

/** Answers requests under `https://models.test/` from memory, and lets all others through. */
function serve(packages: Record<string, Record<string, Uint8Array<ArrayBuffer>>>): void {
  const real = globalThis.fetch;
  vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const { href } = new URL(input instanceof Request ? input.url : input, location.href);
    if (!href.startsWith('https://models.test/')) return real(input, init);
    const [name, ...path] = href.slice('https://models.test/'.length).split('/');
    const bytes = packages[name!]?.[path.join('/')];
    return bytes ? new Response(bytes) : new Response(null, { status: 404 });
  });
}

afterEach(() => {
  vi.unstubAllGlobals();
});

test('a pair of MobileNetV2 and YAMNet gives the same events as in Node', async ({ skip }) => {
  const names = ['mobilenetv2', 'yamnet'].flatMap((id) => [`${id}/model.onnx`, `${id}/reference.safetensors`]);
  const [mobilenet, picture, yamnet, sound] = await Promise.all(names.map(shared));
  if (!mobilenet || !picture || !yamnet || !sound) return skip('../shared/data/backbones is absent or not served');
  ort.env.wasm.wasmPaths = runtimePath;
  const { pictures, sounds, adapters } = await byoPair(mobilenet, yamnet, ort);
  const [events, masks] = adapters as [(typeof adapters)[0], (typeof adapters)[0]];
  serve({ pictures: pictures.files, sounds: sounds.files, events: events.files, masks: masks.files });

  const url = (name: string): string => `https://models.test/${name}/`;
  await using mettle = await createMettle({
    backbone: [url('sounds'), url('pictures')],
    adapters: [url('events'), url('masks')],
    device: 'wasm',
    runtimePath,
  });
  expect(mettle.info()).toMatchObject({ device: 'wasm', backbone: { id: 'mobilenetv2+yamnet' } });
  const clip = byoClip(readSafetensors(picture), readSafetensors(sound));
  const { events: found, seconds } = await mettle.localize(clip);
  expect(found.map(({ label, start, end }) => [label, start, end])).toEqual(byoEvents);
  seconds[1]!.probabilities.forEach((p, i) => expect(Math.abs(p - byoProbabilities[i]!)).toBeLessThan(1e-3));
  expect((await mettle.segment(clip)).masks).toHaveLength(4);
});
