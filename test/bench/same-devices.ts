/** One list of clips on one device after another: in Node by the built package, and in pages of Chromium. */
import { resolve } from 'node:path';
import type { CreateOptions, Mettle, TaskResult } from '../../sdk/index.ts';
import { builtSdk } from './measure.ts';
import { withPage } from './renderer.ts';
import type { ComparedClip, PlainClip } from './same-clips.ts';
import { textOf } from './same-compare.ts';

export type Models = { adapters: string[]; backbone?: string | [string, string] };
/** Gives the results of each clip, in order, as text. */
export type Device = (clips: readonly ComparedClip[], models: Models) => Promise<string[]>;

const inNode =
  (device: CreateOptions['device']): Device =>
  async (clips, models) => {
    const { createMettle } = await builtSdk();
    await using mettle = await createMettle({ ...models, device, threads: 1 });
    const found: string[] = [];
    for (const clip of clips) {
      const read = await clip.read();
      const source = read instanceof Uint8Array ? new Blob([read]) : read;
      found.push(textOf((await mettle.analyze(source)).results));
    }
    return found;
  };

/** A clip on its way to a page: arrays as base64, which the page turns back by itself. */
type Posted = { film: string } | { frames: string[]; width: number; height: number; sound: string; sampleRate: number };

const base64 = ({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

function posted(read: PlainClip | Uint8Array): Posted {
  if (read instanceof Uint8Array) return { film: base64(read) };
  const { frames, audio } = read;
  const { width, height } = frames[0]!;
  const pictures = frames.map(({ data }) => base64(Uint8Array.from(data)));
  return { frames: pictures, width, height, sound: base64(audio.channels[0]!), sampleRate: audio.sampleRate };
}

const inPage =
  (device: CreateOptions['device']): Device =>
  async (clips, models) =>
    await withPage(async (page) => {
      const given = servedModels(models);
      await page.route('**/given/**', (route) => {
        const [, index, path] = /\/given\/(\d+)\/([^?#]*)/.exec(route.request().url())!;
        return route.fulfill({ path: resolve(given.folders[Number(index)]!, path!) });
      });
      await page.evaluate(
        async ({ options, on }) => {
          const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
          const absolute = (name: string): string => (name.startsWith('/') ? location.origin + name : name);
          const mettle: Mettle = await createMettle({
            adapters: options.adapters.map(absolute),
            ...(options.backbone && { backbone: [options.backbone].flat().map(absolute) }),
            device: on,
            threads: 1,
            // A checkout is not laid out as node_modules is.
            runtimePath: '/node_modules/onnxruntime-web/dist/',
          });
          const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
            Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          const analyze = async (clip: Posted): Promise<TaskResult[]> => {
            if ('film' in clip) return (await mettle.analyze(new Blob([bytesOf(clip.film)]))).results;
            const { width, height, sampleRate } = clip;
            const frames = clip.frames.map((text) => ({ width, height, data: bytesOf(text) }));
            const channels = [new Float32Array(bytesOf(clip.sound).buffer)];
            return (await mettle.analyze({ frames, frameRate: 1, audio: { channels, sampleRate } })).results;
          };
          Object.assign(globalThis, { analyze });
        },
        { options: given.models, on: device },
      );
      const found: string[] = [];
      for (const clip of clips) {
        const results = await page.evaluate(
          async ({ source, write }) => {
            const { analyze } = globalThis as unknown as { analyze(source: Posted): Promise<TaskResult[]> };
            return new Function(`return (${write})`)()(await analyze(source));
          },
          { source: posted(await clip.read()), write: textOf.toString() },
        );
        found.push(results);
      }
      return found;
    });

/** Folders of models as addresses that the page's route answers; shipped ids stay as they are. */
function servedModels({ adapters, backbone }: Models): { models: Models; folders: string[] } {
  const folders: string[] = [];
  const served = (name: string): string => {
    if (!/[./\\]/.test(name)) return name;
    folders.push(resolve(name));
    return `/given/${folders.length - 1}/`;
  };
  const models: Models = { adapters: adapters.map(served) };
  if (backbone)
    models.backbone = typeof backbone === 'string' ? served(backbone) : [served(backbone[0]), served(backbone[1])];
  return { models, folders };
}

/** By the name that the table shows; the first is the reference. */
export const devices = {
  'Node CPU': inNode('cpu'),
  'Node WASM': inNode('wasm'),
  'Chromium WASM': inPage('wasm'),
  'Chromium WebGPU': inPage('webgpu'),
} satisfies Record<string, Device>;
export type DeviceName = keyof typeof devices;
