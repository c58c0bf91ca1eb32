/// <reference types="vite/client" />
/** The whole SDK in a real page: device choice, the same events as in Node, cancellation, disposal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, server } from 'vitest/browser';
import { createMettle, type Mettle, MettleError, type TaskResult } from '../../sdk/index.ts';
import expected from '../fixtures/clips.json' with { type: 'json' };
import tinyUrl from '../fixtures/tiny.webm?url';
import type { analyzeInNode } from '../helpers/commands.ts';

declare module 'vitest/browser' {
  interface BrowserCommands {
    analyzeInNode: (path: string) => ReturnType<typeof analyzeInNode>;
  }
}

const runtimePath = '/node_modules/onnxruntime-web/dist/';
const tiny = async (): Promise<Blob> => (await fetch(tinyUrl)).blob();

/** Events without confidence: label, modality, and times in thousandths. */
function eventsOf(results: TaskResult[]): unknown {
  return results.map((result) =>
    result.task === 'segment'
      ? result.masks.map(({ start, end }) => [start, end].map((t) => t.toFixed(3)))
      : result.events.map((event) => [
          event.label,
          'modality' in event ? event.modality : 'both',
          event.start.toFixed(3),
          event.end.toFixed(3),
        ]),
  );
}

const areasOf = (results: TaskResult[]): number[] =>
  results.flatMap((result) => (result.task === 'segment' ? result.masks.map(({ area }) => area) : []));

describe('on WASM', () => {
  let mettle: Mettle;
  beforeAll(async () => {
    mettle = await createMettle({ backbone: 'nano', device: 'wasm', runtimePath });
  });
  afterAll(() => mettle.dispose());

  test('info() says what runs and why', () => {
    const info = mettle.info();
    expect(info).toMatchObject({ device: 'wasm', variant: 'wasm', backbone: { id: 'nano' } });
    expect(info.threads).toBeGreaterThanOrEqual(1);
    expect(info.why.join(' ')).toMatch(/wasm/i);
    expect([...new Set(info.adapters.map(({ task }) => task))]).toEqual(['localize', 'parse', 'segment']);
  });

  const films = Object.keys(expected).filter((name) => !name.startsWith('tiny.'));
  test.for(films)('%s gives the same events and times as in Node', async (name, { skip }) => {
    const path = new URL(`${server.config.root}/../shared/data/clips/${name}`, 'file:///').pathname;
    const inNode = await commands.analyzeInNode(path);
    if (!inNode) return skip('../shared/data/clips is absent');
    const film = await (await fetch(`/@fs${path}`)).blob();
    const inPage = await mettle.analyze(film).catch((error: unknown) => error);
    if (inPage instanceof MettleError) {
      expect(inPage.code).toBe('unsupported-codec');
      expect(inPage.hint).not.toBe('');
      expect(inPage.message).toMatch(/hevc|ac3/);
      return;
    }
    const { results } = inPage as { results: TaskResult[] };
    expect(eventsOf(results)).toEqual(eventsOf(inNode as TaskResult[]));
    areasOf(inNode as TaskResult[]).forEach((area, i) => expect(areasOf(results)[i]).toBeCloseTo(area, 2));
  });

  test('each verb answers with its own task', async () => {
    const film = await tiny();
    expect((await mettle.localize(film)).task).toBe('localize');
    expect((await mettle.parse(film)).task).toBe('parse');
    const { masks, untrained, warnings } = await mettle.segment(film);
    expect(masks[0]).toMatchObject({ width: 128, height: 128, start: 0 });
    expect(masks[0]!.data).toHaveLength(128 * 128);
    expect(warnings.some(({ code }) => code === 'untrained')).toBe(untrained);
  });

  test('an aborted call rejects with the reason, and the next one works', async () => {
    const controller = new AbortController();
    const call = mettle.analyze(await tiny(), {
      signal: controller.signal,
      onProgress: ({ done }) => done === 1 && controller.abort(new Error('enough')),
    });
    await expect(call).rejects.toThrow('enough');
    expect((await mettle.analyze(await tiny())).results).toHaveLength(mettle.info().adapters.length);
  });
});

test('WebGPU gives the same answers as WASM', async ({ skip }) => {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return skip('no WebGPU adapter');
  const film = await tiny();
  const analyses: TaskResult[][] = [];
  for (const device of ['webgpu', 'wasm'] as const) {
    await using mettle = await createMettle({ backbone: 'nano', device, runtimePath });
    expect(mettle.info().device).toBe(device);
    analyses.push((await mettle.analyze(film)).results);
  }
  expect(eventsOf(analyses[0]!)).toEqual(eventsOf(analyses[1]!));
  areasOf(analyses[1]!).forEach((area, i) => expect(areasOf(analyses[0]!)[i]).toBeCloseTo(area, 3));
});

test('disposing while a call runs rejects the call, and again is harmless', async () => {
  const mettle = await createMettle({ device: 'wasm', runtimePath, adapters: ['toybox-ave'] });
  const call = mettle.localize(await tiny());
  await mettle.dispose();
  await expect(call).rejects.toMatchObject({ code: 'disposed' });
  await mettle.dispose();
});

test('a model that is not there is named', async () => {
  await expect(createMettle({ adapters: ['no-such-adapter'], runtimePath })).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('no-such-adapter'),
  });
});
