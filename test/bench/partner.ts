/** A process that is asked by a line and answers by one: it runs by turns with this one, or with another. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Partner {
  readonly #process: ChildProcess;
  readonly #lines: NodeJS.AsyncIterator<string>;
  readonly #name: string;

  constructor(command: string, args: readonly string[], name: string) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
    this.#name = name;
  }

  /** Lines that are not JSON are remarks of a library. */
  async ask<T>(line: string): Promise<T> {
    this.#process.stdin!.write(`${line}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`${this.#name} ended; its message is above.`);
      if (value.startsWith('{')) return JSON.parse(value) as T;
    }
  }

  async end(): Promise<void> {
    const closed = once(this.#process, 'close');
    this.#process.stdin!.end();
    await closed;
  }
}
