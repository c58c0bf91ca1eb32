/** Servers of Debian's packages that a test starts itself, on a port of its own and with a folder that goes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const find = (name: string): string | undefined =>
  ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'].map((folder) => join(folder, name)).find(existsSync);

export const mosquitto = find('mosquitto');

/** Why a test is skipped, for its title; empty where it runs. */
export const absent = (program: string | undefined, name: string): string =>
  program ? '' : ` (skipped: ${name} is not installed; apt-get install ${name})`;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export class TestServer {
  readonly port: number;
  readonly #command: (port: number, folder: string) => string[];
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, folder: string, command: (port: number, folder: string) => string[]) {
    this.port = port;
    this.#folder = folder;
    this.#command = command;
  }

  static async mosquitto(): Promise<TestServer> {
    const folder = await mkdtemp(join(tmpdir(), 'mettle-mosquitto-'));
    const port = await freePort();
    const file = join(folder, 'mosquitto.conf');
    await writeFile(
      file,
      `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n` +
        // What `save` writes; started as root it would write as somebody else.
        `persistence true\npersistence_location ${folder}/\nuser root\n`,
    );
    return new TestServer(port, folder, () => [mosquitto!, '-c', file]).start();
  }

  /** Resolves when it answers. */
  async start(): Promise<TestServer> {
    const [program, ...args] = this.#command(this.port, this.#folder);
    this.#process = spawn(program!, args, { stdio: 'ignore' });
    for (let tries = 0; !(await answers(this.port)); tries++) {
      if (tries > 200) throw new Error(`${program} does not answer`);
      await setTimeout(50);
    }
    return this;
  }

  /** A broker's sessions as they are now outlive it. */
  async save(): Promise<void> {
    const written = join(this.#folder, 'mosquitto.db');
    await rm(written, { force: true });
    this.#process!.kill('SIGUSR1');
    for (let tries = 0; !existsSync(written); tries++) {
      if (tries > 200) throw new Error('The broker saves nothing.');
      await setTimeout(50);
    }
  }

  /** At once, as when the power goes. */
  async kill(): Promise<void> {
    if (!this.#process) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
    this.#process = null;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
