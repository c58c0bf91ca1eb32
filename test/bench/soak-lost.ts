/**
 * What becomes of a GPU device that is lost, in Chromium on its software GPU: while models are loaded, while a clip is analysed, while a stream is watched. And whether a Mettle
 * that is created afterwards answers as the first one did.
 */
import type { Mettle } from '../../sdk/index.ts';
import { withPage } from './renderer.ts';

export type Lost = {
  /** What the call said that was under way: a code, or the device that it ended on. */
  load: string;
  run: string;
  live: string;
  /** Answers of Mettles that were created afterwards which differ from the first one's. */
  different: number;
};

export const loseDevices = (): Promise<Lost> =>
  withPage(async (page) =>
    page.evaluate(async () => {
      const devices: GPUDevice[] = [];
      const { requestDevice } = GPUAdapter.prototype;
      let loseAtOnce = false;
      GPUAdapter.prototype.requestDevice = async function (...args) {
        const device = await requestDevice.apply(this, args);
        devices.push(device);
        if (loseAtOnce) setTimeout(() => device.destroy(), 0);
        loseAtOnce = false;
        return device;
      };
      const { createMettle } = await import(new URL('/dist/page/index.js', location.href).href);
      const runtimePath = '/node_modules/onnxruntime-web/dist/';
      const create = (): Promise<Mettle> =>
        createMettle({ adapters: ['toybox-ave'], device: 'auto', worker: false, runtimePath });
      const audio = { channels: [new Float32Array(32_000).map((_, i) => 0.3 * Math.sin(i / 20))], sampleRate: 32_000 };
      const frame = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3).fill(90) };
      const clip = { frames: [frame], frameRate: 1, audio };
      const labels = async (mettle: Mettle): Promise<string> => {
        const { seconds } = await mettle.localize(clip, { unfamiliar: 'show' });
        return JSON.stringify(seconds.map(({ probabilities }) => probabilities.map((p) => p.toFixed(2))));
      };
      const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
      async function* sound() {
        for (let time = 0; time < 60; time += 0.25) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          yield { time, channels: [new Float32Array(8000)], sampleRate: 32_000 };
        }
      }

      let mettle = await create();
      const first = await labels(mettle);
      let different = 0;
      const afterwards = async (): Promise<void> => {
        await mettle.dispose().catch(() => {});
        mettle = await create();
        if ((await labels(mettle)) !== first) different++;
      };
      const open = mettle.localize(clip).then(() => 'answered', codeOf);
      devices.at(-1)!.destroy();
      const run = await open;
      await afterwards();
      const watch = (async () => {
        let seen = 0;
        for await (const _ of mettle.watch({ sound: sound() }, { hop: 1 })) if (++seen === 1) devices.at(-1)!.destroy();
        return 'ended with the source';
      })();
      const live = await watch.catch(codeOf);
      await afterwards();
      await mettle.dispose();
      loseAtOnce = true;
      mettle = await create();
      const load = mettle.info().device;
      if ((await labels(mettle)) !== first) different++;
      await mettle.dispose();
      return { load, run, live, different };
    }),
  );
