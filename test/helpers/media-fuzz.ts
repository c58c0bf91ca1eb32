/** Runs damaged films in processes of their own, each case with a time limit, and gathers what came of them. */
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharedIsAbsent, sharedPath } from './shared.ts';

export type FuzzCase = { path: string; index: number; seed: number };
/** `outcome` is `result`, the code of a MettleError, `hang`, `crash ...`, or `not a MettleError ...`. */
export type FuzzAnswer = { kind: string; outcome: string; milliseconds: number; megabytes: number };
export type FuzzFinding = FuzzCase & FuzzAnswer;

const child = fileURLToPath(new URL('../tools/media-fuzz-child.ts', import.meta.url));
const own = fileURLToPath(new URL('../fixtures/films/', import.meta.url));
/** Milliseconds without a sign of life. */
const limit = 10_000;

/** Films of this repository, and those beside it where there are any and `shared` is set. */
export function fuzzFilms({ shared }: { shared: boolean }): string[] {
  const films = readdirSync(own).map((name) => `${own}${name}`);
  if (!shared || sharedIsAbsent('clips')) return films;
  const others = readdirSync(sharedPath('clips')).filter((name) => !name.endsWith('.md'));
  return [...films, ...others.map((name) => sharedPath(`clips/${name}`))];
}

/** `count` damaged copies of `films` in turn, by `processes` at a time. */
export async function fuzzMedia(
  films: readonly string[],
  {
    count,
    seed,
    processes = 2,
    onFinding,
  }: { count: number; seed: number; processes?: number; onFinding?: (finding: FuzzFinding) => void },
): Promise<FuzzFinding[]> {
  const findings: FuzzFinding[] = [];
  let next = 0;
  const work = async () => {
    let runner: Runner | undefined;
    while (next < count) {
      const index = next++;
      // Every film meets every kind of damage, however many there are of each.
      const one = { path: films[index % films.length]!, index: index + Math.floor(index / films.length), seed };
      runner ??= await Runner.start();
      const answer = await runner.run(one);
      if (runner.ended) runner = undefined;
      const finding = { ...one, ...answer };
      findings.push(finding);
      onFinding?.(finding);
    }
    runner?.stop();
  };
  await Promise.all(Array.from({ length: processes }, work));
  return findings;
}

class Runner {
  ended = false;
  readonly #process: ChildProcess;
  #printed = '';

  static async start(): Promise<Runner> {
    const started = fork(child, [], { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    await new Promise((resolve, reject) => {
      started.once('message', resolve);
      started.once('exit', (code) => reject(new Error(`the fuzz process ended at once with code ${code}`)));
    });
    started.removeAllListeners('exit');
    return new Runner(started);
  }

  constructor(started: ChildProcess) {
    this.#process = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.#printed += text;
      });
    }
  }

  async run(one: FuzzCase): Promise<FuzzAnswer> {
    const started = performance.now();
    this.#printed = '';
    const answer = await new Promise<FuzzAnswer>((resolve) => {
      const give = (outcome: string) => {
        this.ended = true;
        resolve({ kind: '?', outcome, milliseconds: performance.now() - started, megabytes: 0 });
      };
      const timer = setTimeout(() => give('hang'), limit);
      const onMessage = (told: FuzzAnswer | 'segment') => {
        // A large film takes its time, on a loaded machine still more; what does nothing for as long hangs.
        if (told === 'segment') return void timer.refresh();
        clearTimeout(timer);
        this.#process.off('exit', onExit).off('message', onMessage);
        resolve(told);
      };
      const onExit = (code: number | null, signal: string | null) => give(`crash ${code ?? signal}`);
      this.#process.once('exit', onExit);
      this.#process.on('message', onMessage);
      this.#process.send(one);
    });
    if (this.ended) this.stop();
    return this.#printed === '' ? answer : { ...answer, outcome: `prints: ${this.#printed.slice(0, 200)}` };
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Whether a case ended as it should: with a result or a MettleError. */
export const isSettled = ({ outcome }: FuzzAnswer): boolean => /^[a-z-]+$/.test(outcome) && outcome !== 'hang';

/** Markdown table by kind of damage, then the slowest, the largest, and what did not settle. */
export function fuzzReport(findings: readonly FuzzFinding[]): string {
  const outcomes = [...new Set(findings.map(({ outcome }) => (outcome.length < 20 ? outcome : 'other')))].sort();
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort();
  const cell = (kind: string, outcome: string) =>
    findings.filter((f) => f.kind === kind && (f.outcome.length < 20 ? f.outcome : 'other') === outcome).length;
  const slowest = [...findings].sort((a, b) => b.milliseconds - a.milliseconds)[0]!;
  const largest = [...findings].sort((a, b) => b.megabytes - a.megabytes)[0]!;
  const name = ({ path, kind, index }: FuzzFinding) => `${basename(path)}, ${kind}, copy ${index}`;
  return [
    `| damage | ${outcomes.join(' | ')} |`,
    `|${'---|'.repeat(outcomes.length + 1)}`,
    ...kinds.map((kind) => `| ${kind} | ${outcomes.map((outcome) => cell(kind, outcome)).join(' | ')} |`),
    '',
    `${findings.length} cases. Slowest: ${slowest.milliseconds.toFixed(0)} ms (${name(slowest)}). Largest process: ${largest.megabytes.toFixed(0)} MiB (${name(largest)}).`,
    ...findings.filter((finding) => !isSettled(finding)).map((f) => `NOT SETTLED: ${name(f)}: ${f.outcome}`),
  ].join('\n');
}
