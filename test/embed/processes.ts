/** Commands as a user types them, in a folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { delimiter } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type Shell = {
  /** Runs a command to its end and gives what it wrote to its output. Rejects with all that it wrote where it fails or takes too long. */
  run(command: string): Promise<string>;
  /** Starts a server and waits until it answers; `stop` ends it with all that it started. */
  start(command: string, url: string): Promise<{ stop(): Promise<void> }>;
};

const longest = 300_000;

export function shellIn(folder: string, binaries: readonly string[] = []): Shell {
  const begin = (command: string): { child: ChildProcess; written: () => string; out: () => string } => {
    // Tools that run with colours, update checks or telemetry would ask other hosts, or write what is hard to read.
    const quiet = { NO_COLOR: '1', FORCE_COLOR: undefined, NEXT_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
    const path = [...binaries, process.env.PATH].join(delimiter);
    const env = { ...process.env, ...quiet, NODE_ENV: undefined, VITEST: undefined, PATH: path };
    const child = spawn(command, { cwd: folder, shell: true, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env });
    let all = '';
    let out = '';
    child.stdout!.on('data', (text) => {
      all += text;
      out += text;
    });
    child.stderr!.on('data', (text) => (all += text));
    return { child, written: () => all, out: () => out };
  };
  return {
    async run(command) {
      const { child, written, out } = begin(command);
      const timer = setTimeout(() => endGroup(child), longest);
      const [code, signal] = await exitOf(child);
      clearTimeout(timer);
      if (code !== 0) throw new Error(`${command} ended with ${code ?? signal}:\n${written()}`);
      return out();
    },
    async start(command, url) {
      const { child, written } = begin(command);
      const exit = exitOf(child);
      let ended = false;
      void exit.then(() => (ended = true));
      const stop = async (): Promise<void> => {
        endGroup(child);
        await exit;
      };
      for (const end = Date.now() + longest; ; await sleep(200)) {
        if (ended) throw new Error(`${command} ended:\n${written()}`);
        const response = await fetch(url).catch(() => null);
        await response?.body?.cancel();
        if (response?.ok) return { stop };
        if (Date.now() < end) continue;
        await stop();
        throw new Error(`${command} does not answer at ${url}:\n${written()}`);
      }
    },
  };
}

/** A port that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const exitOf = (child: ChildProcess): Promise<[code: number | null, signal: string | null]> =>
  new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));

/** The child leads a group of its own, which takes along what it has started. */
function endGroup(child: ChildProcess): void {
  try {
    process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
