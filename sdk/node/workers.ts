/** Starts the workers of Node: threads with scripts of this package. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parentPort, Worker } from 'node:worker_threads';
import type { ScriptName, StartedWorker, WorkerGreeting, WorkerName, WorkerOptions } from '../contract/worker.ts';
import { packageRoot } from './package-root.ts';

/** In the sources, which Node cannot read by itself, a thread runs them through tsx; in the package it runs a bundle beside this one. */
const inSources = import.meta.url.endsWith('.ts');

export const scriptOf = (name: ScriptName): URL =>
  new URL(inSources ? `sdk/work/${name}.ts` : `dist/node/${name}.js`, packageRoot);

/** In Node the runtime is a package, wherever a page would look for its files. */
export const runtimeFolder = (_assets: string | undefined, _runtimePath: string | undefined): string | undefined =>
  undefined;

/** Logical cores that this process may use. */
export const logicalCores = (): number => availableParallelism();

/** In a worker: its first message. */
export function onFirstMessage(listener: (message: unknown) => void): void {
  parentPort!.once('message', listener);
}

export function startWorker(name: WorkerName, { worker: make }: WorkerOptions): StartedWorker {
  const script = inSources ? readByTsx(scriptOf(`${name}-worker`)) : scriptOf(`${name}-worker`);
  // The process's own flags, such as `--expose-gc`, are none that a thread may have.
  const worker = (make?.(script, name) ?? new Worker(script, { name: `mettle-${name}`, execArgv: [] })) as Worker;
  const { port1, port2 } = new MessageChannel();
  const greeting: WorkerGreeting = { mettle: name, port: port2 };
  worker.postMessage(greeting, [port2 as never]);
  worker.unref();
  const port = port1 as MessagePort & { ref(): void; unref(): void };
  return {
    port,
    onEnd(listener) {
      worker.on('error', (error) => listener(`failed: ${error.message}`, 'The next call starts a fresh one.', error));
      worker.on('exit', (code) => listener(`ended with code ${code}`, 'The next call starts a fresh one.'));
    },
    terminate() {
      port.close();
      void worker.terminate();
    },
    hold(busy) {
      if (busy) port.ref();
      else port.unref();
    },
  };
}

/** A thread's script that reads one of the sources. */
export function readByTsx(script: URL): URL {
  // `import.meta.resolve` is not there for tests, and `require` finds the form for `require`, which cannot register.
  const tsx = new URL(
    'dist/esm/api/index.mjs',
    pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json')),
  );
  const [from, what] = [tsx, script].map((url) => JSON.stringify(url.href));
  return new URL(`data:text/javascript,import { register } from ${from};register();await import(${what});`);
}
