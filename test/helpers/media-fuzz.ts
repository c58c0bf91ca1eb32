/** Runs damaged films in processes of their own, each case with a time limit, and gathers what came of them. */
import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sharedIsAbsent, sharedPath } from './shared.ts';

export type FuzzCase = { path: string; index: number; seed: number };
/** `outcome` is `result`, the code of a MettleError, `hang`, `crash ...`, or `not a MettleError ...`. */
export type FuzzAnswer = { kind: string; outcome: string; cpuSeconds: number; megabytes: number };
export type FuzzFinding = FuzzCase & FuzzAnswer;

const child = fileURLToPath(new URL('../tools/media-fuzz-child.ts', import.meta.url));
const own = fileURLToPath(new URL('../fixtures/films/', import.meta.url));
/** Milliseconds without a sign of life, as they pass on a machine with other work. */
const silence = 60_000;
/** What a damaged film may cost. */
const most = { cpuSeconds: 10, megabytes: 1024 };

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
    this.#printed = '';
    const answer = await new Promise<FuzzAnswer>((resolve) => {
      const give = (outcome: string) => {
        this.ended = true;
        resolve({ kind: '?', outcome, cpuSeconds: 0, megabytes: 0 });
      };
      const timer = setTimeout(() => give('hang'), silence);
      const onMessage = (told: FuzzAnswer | 'segment') => {
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

/** Whether a case ended as it should: with a result or a MettleError, within ten seconds of computing and a gigabyte. */
export const isSettled = ({ outcome, cpuSeconds, megabytes }: FuzzAnswer): boolean =>
  /^[a-z-]+$/.test(outcome) && outcome !== 'hang' && cpuSeconds < most.cpuSeconds && megabytes < most.megabytes;

export type FuzzSummary = {
  cases: number;
  notSettled: number;
  /** Number of cases by outcome, and by kind of damage and outcome. */
  outcomes: Record<string, number>;
  kinds: Record<string, Record<string, number>>;
  slowest: FuzzFinding;
  largest: FuzzFinding;
};

export function fuzzSummary(findings: readonly FuzzFinding[]): FuzzSummary {
  const count = (some: readonly FuzzFinding[]) => {
    const counts: Record<string, number> = {};
    for (const outcome of some.map(nameOfOutcome).sort()) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort();
  const greatest = (figure: 'cpuSeconds' | 'megabytes') => {
    const one = [...findings].sort((a, b) => b[figure] - a[figure])[0]!;
    return { ...one, path: basename(one.path) };
  };
  return {
    cases: findings.length,
    notSettled: findings.filter((finding) => !isSettled(finding)).length,
    outcomes: count(findings),
    kinds: Object.fromEntries(kinds.map((kind) => [kind, count(findings.filter((one) => one.kind === kind))])),
    slowest: greatest('cpuSeconds'),
    largest: greatest('megabytes'),
  };
}

const nameOfOutcome = ({ outcome }: FuzzAnswer): string => (outcome.length < 20 ? outcome : 'other');

/** Markdown table by kind of damage, then the slowest, the largest, and what did not settle. */
export function fuzzReport(findings: readonly FuzzFinding[]): string {
  const { cases, outcomes, kinds, slowest, largest } = fuzzSummary(findings);
  const names = Object.keys(outcomes);
  const name = ({ path, kind, index }: FuzzFinding) => `${basename(path)}, ${kind}, copy ${index}`;
  const costs = ({ cpuSeconds, megabytes }: FuzzAnswer) =>
    `${cpuSeconds.toFixed(1)} s of CPU, ${megabytes.toFixed(0)} MiB`;
  return [
    `| damage | ${names.join(' | ')} |`,
    `|${'---|'.repeat(names.length + 1)}`,
    ...Object.entries(kinds).map(([kind, counts]) => `| ${kind} | ${names.map((of) => counts[of] ?? 0).join(' | ')} |`),
    '',
    `${cases} damaged films. Slowest: ${costs(slowest)} (${name(slowest)}). Largest process: ${costs(largest)} (${name(largest)}).`,
    ...findings
      .filter((finding) => !isSettled(finding))
      .map((finding) => `NOT SETTLED: ${name(finding)}: ${finding.outcome}, ${costs(finding)}`),
  ].join('\n');
}
