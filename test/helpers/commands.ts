/** What a browser test may ask of Node. */
import type { BrowserCommand } from 'vitest/node';

/** The results that the built package gives in Node for a film, without the pixels of masks. Null where the file is absent. */
export const analyzeInNode: BrowserCommand<[path: string]> = async (_context, path) => {
  const { existsSync } = await import('node:fs');
  if (!existsSync(path)) return null;
  // A name in a variable, or the type checker would want the built file.
  const built = new URL('../../dist/node/index.js', import.meta.url).href;
  const { createMettle } = await import(built);
  const mettle = await createMettle({ backbone: 'nano', device: 'wasm', threads: 1 });
  try {
    const { results } = await mettle.analyze(path);
    return JSON.parse(JSON.stringify(results, (key, value) => (key === 'data' ? undefined : value)));
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  } finally {
    await mettle.dispose();
  }
};

let faults: Promise<{ url: string }> | undefined;

/** The address of a server with faults, which is started once. */
export const startFaults: BrowserCommand<[]> = async () => {
  const { faultServer } = await import('./fault-server.ts');
  faults ??= faultServer();
  return (await faults).url;
};
