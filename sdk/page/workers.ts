/** Starts the workers of a page. A script may lie on another origin: then a small script of this one imports it. */

import { assetsHint } from '../contract/assets-hint.ts';
import { sdkVersion } from '../contract/version.ts';
import type { ScriptName, StartedWorker, WorkerGreeting, WorkerName, WorkerOptions } from '../contract/worker.ts';
import { MettleError } from '../errors.ts';
import { resolveUrl } from './bytes.ts';
import { placesOf } from './places.ts';

/** Address of a script that is loaded by its address alone. Throws `not-found` as `placesOf` does. */
export const scriptOf = (name: ScriptName, assets: string | undefined): URL => placesOf(assets).script(name);

/** Absolute URL of the folder of the runtime's files: the caller's own, or that of the assets. Throws `not-found` as `placesOf` does. */
export const runtimeFolder = (assets: string | undefined, runtimePath: string | undefined): string | undefined =>
  runtimePath === undefined ? placesOf(assets).runtime.href : resolveUrl(runtimePath.replace(/\/?$/, '/')).href;

/** Logical cores of the machine, as far as the browser tells. */
export const logicalCores = (): number => navigator.hardwareConcurrency;

/** What a worker says first: of which version its script is. */
type Hello = { sdk: string };

/** In a worker: its first message. */
export function onFirstMessage(listener: (message: unknown) => void): void {
  const answer = (event: MessageEvent): void => {
    globalThis.postMessage({ sdk: sdkVersion } satisfies Hello);
    listener(event.data);
  };
  globalThis.addEventListener('message', answer, { once: true });
}

/** Throws `worker-died` where the page's policy allows no worker of this kind. */
export function startWorker(name: WorkerName, { assets, worker: make }: WorkerOptions): StartedWorker {
  const script = scriptOf(`${name}-worker`, assets);
  const worker = (make ? make(script, name) : newWorker(script, name)) as Worker;
  const { port1, port2 } = new MessageChannel();
  const greeting: WorkerGreeting = { mettle: name, port: port2 };
  worker.postMessage(greeting, [port2]);
  return {
    port: port1,
    onEnd(listener) {
      let told = false;
      const tell: typeof listener = (...end) => {
        if (!told) listener(...end);
        told = true;
      };
      worker.addEventListener('error', async (event) => {
        event.preventDefault();
        const { message = '', error } = event as ErrorEvent;
        if (message) tell(`failed: ${message}`, 'The next call starts a fresh worker.', error);
        else tell(`could not be started from ${script}`, await whyNot(script));
      });
      const hear = ({ data }: MessageEvent<Hello>): void => {
        if (data.sdk === sdkVersion) return;
        tell(
          `is of mettle-edge ${data.sdk}, but the page runs ${sdkVersion}`,
          `${script} is out of date. ${assetsHint}`,
        );
      };
      worker.addEventListener('message', hear, { once: true });
      onTerminate(worker, () => tell('was terminated', 'The next call starts a fresh worker.'));
    },
    terminate() {
      port1.close();
      worker.terminate();
    },
    hold() {},
  };
}

function newWorker(script: URL, name: WorkerName): Worker {
  const options = { type: 'module', name: `mettle-${name}` } as const;
  try {
    if (script.origin === location.origin) return new Worker(script, options);
    const shim = URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)};`], { type: 'text/javascript' }));
    const worker = new Worker(shim, options);
    worker.addEventListener('message', () => URL.revokeObjectURL(shim), { once: true });
    return worker;
  } catch (cause) {
    throw new MettleError('worker-died', `A worker could not be started from ${script}: ${(cause as Error).message}`, {
      hint: "Allow it in the content security policy: worker-src 'self', and blob: where the package comes from another origin. Or say worker: false.",
      cause,
    });
  }
}

/** What keeps a script from starting: the event of its worker does not tell. */
async function whyNot(script: URL): Promise<string> {
  try {
    const response = await fetch(script);
    await response.body?.cancel();
    const type = response.headers.get('content-type') ?? 'no content type';
    if (!response.ok) return `The server answers ${script} with HTTP ${response.status}. ${assetsHint}`;
    if (!/javascript/.test(type)) return `The server answers ${script} with ${type}, not with a script. ${assetsHint}`;
    return 'Check that the content security policy allows worker-src and script-src for it.';
  } catch {
    return `${script} cannot be fetched: check the address and, across origins, that the server allows it (CORS). ${assetsHint}`;
  }
}

/** A worker tells nobody that it was terminated, so its own `terminate` is wrapped. */
function onTerminate(worker: Worker, ended: () => void): void {
  const terminate = worker.terminate.bind(worker);
  worker.terminate = () => {
    terminate();
    ended();
  };
}
