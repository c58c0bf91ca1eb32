/** What a batch says while it runs: a line per film, a bar where somebody watches, and at the end what failed. */
import { jsonText, spacedLine } from '../contract/plain-text.ts';
import type { FailureList } from '../node/batch/failures.ts';
import type { Outputs } from '../node/batch/folder-outputs.ts';
import type { Outcome } from '../node/batch/run.ts';
import type { WorkerCount } from '../node/batch/workers.ts';
import { oneLine, ProgressBar } from './terminal.ts';
import type { Io } from './types.ts';

/** Failures that are printed; the file has all. */
const mostPrinted = 20;

export class BatchTeller {
  readonly #total: number;
  readonly #outputs: Outputs;
  readonly #options: { json: boolean; quiet: boolean };
  readonly #io: Io;
  readonly #bar: ProgressBar;
  readonly #counts = { made: 0, there: 0, failed: 0 };
  /** Seconds of film: made, and at work. */
  #seconds = 0;

  constructor(total: number, outputs: Outputs, options: { json: boolean; quiet: boolean }, io: Io) {
    this.#total = total;
    this.#outputs = outputs;
    this.#options = options;
    this.#io = io;
    this.#bar = new ProgressBar(io.stderr, !options.quiet);
  }

  start({ workers, threads, reason }: WorkerCount): void {
    this.#say(`${this.#total} films; ${workers} at a time (${reason}), ${threads} threads each`);
    this.#draw();
  }

  /** One second of film more was analyzed. */
  second(): void {
    this.#seconds++;
    this.#draw();
  }

  outcome(outcome: Outcome): void {
    this.#counts[outcome.state]++;
    this.#bar.clear();
    if (this.#options.json) this.#io.stdout.write(`${jsonText(this.#facts(outcome))}\n`);
    else if (!this.#options.quiet) this.#io.stdout.write(`${spacedLine(this.#line(outcome))}\n`);
    this.#draw();
  }

  end(): void {
    this.#bar.clear();
    const { made, there, failed } = this.#counts;
    this.#say(`${made} made, ${there} there already, ${failed} failed`);
  }

  failures({ all, path }: FailureList): void {
    if (all.length === 0) return;
    const { stderr } = this.#io;
    for (const { film, error } of all.slice(0, mostPrinted)) {
      stderr.write(`${oneLine(`failed: ${film}: ${error.message} ${error.hint}`.trim())}\n`);
    }
    const more = all.length > mostPrinted ? `, and ${all.length - mostPrinted} more` : '';
    stderr.write(`${oneLine(`mettle: ${all.length} of ${this.#total} films failed${more}; all in ${path}`)}\n`);
  }

  #line(outcome: Outcome): string {
    const { address } = outcome.film;
    if (outcome.state === 'failed') return `failed  ${address}: ${outcome.error.message}`;
    const place = this.#outputs.place(outcome.film);
    if (outcome.state === 'there') return `there   ${address} -> ${place}`;
    const { seconds, events } = outcome.done;
    return `made    ${address} -> ${place}  ${seconds.toFixed(1)} s, ${events} ${events === 1 ? 'event' : 'events'}`;
  }

  #facts(outcome: Outcome): object {
    const { film, state } = outcome;
    const base = { film: film.address, state };
    if (outcome.state === 'failed') {
      const { code, message, hint } = outcome.error;
      return { ...base, error: { code, message, hint } };
    }
    const out = this.#outputs.place(film);
    return outcome.state === 'there' ? { ...base, out } : { ...base, out, ...outcome.done };
  }

  #draw(): void {
    const { made, there, failed } = this.#counts;
    const done = made + there + failed;
    const rest = failed > 0 ? `, ${failed} failed` : '';
    this.#bar.update('Films', done, this.#total, `${done}/${this.#total}, ${this.#seconds} s of film${rest}`);
  }

  #say(text: string): void {
    this.#bar.clear();
    if (!this.#options.quiet && !this.#options.json) this.#io.stderr.write(`${oneLine(text)}\n`);
  }
}
