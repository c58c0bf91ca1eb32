/** What all benchmarks measure with: medians, rounds by turns, processor time, and processes of their own whose peak memory is theirs alone. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type * as Sdk from '../../sdk/index.ts';

/** The middle of the numbers; of an even count the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2;
}

/** Milliseconds. */
export async function timed(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await job();
  return performance.now() - start;
}

/** Milliseconds that this process and its threads computed. */
export async function computed(job: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await job();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** What `measure` gives for every job, round by round; the order turns in every round, since whoever comes first finds the caches as another left them. */
export async function byTurns<N extends string>(
  jobs: Readonly<Record<N, () => Promise<unknown>>>,
  rounds: number,
  measure: (job: () => Promise<unknown>) => Promise<number> = timed,
): Promise<Record<N, number[]>> {
  const names = Object.keys(jobs) as N[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<N, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) times[name].push(await measure(jobs[name]));
  }
  return times;
}

/** The median over the rounds of how much of `beside` a job took. */
export const ratioOf = (here: readonly number[], beside: readonly number[]): number =>
  median(here.map((own, round) => own / beside[round]!));

/** Resident megabytes of a process. */
export async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000;
}

/** Most megabytes that a process ever held. What `getrusage` tells would begin with those of the process that started it. */
export function peakOf(pid: number | 'self'): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
  } catch {
    return process.resourceUsage().maxRSS / 1000;
  }
}

/** What a process of its own gave, with its peak in megabytes and the milliseconds from its start to its answer. */
export type Apart<T> = { value: T; peakMb: number; wallMs: number };

/** Runs a script of this repository in a process of its own, where it calls `answer`. Rejects with what it wrote where it fails. */
export async function apart<T>(script: string, request: unknown): Promise<Apart<T>> {
  const start = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(script), JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (text) => (written[name] += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const line = written.stdout.split('\n').find((text) => text.startsWith('{"value":'));
  if (code !== 0 || !line) throw new Error(`${script} ended with ${code}:\n${written.stderr}${written.stdout}`);
  return { ...JSON.parse(line), wallMs: performance.now() - start };
}

/** The other side of `apart`: does what the script's first argument asks for, prints it, and ends the process. Nothing where the script was only imported. */
export async function answer<Q, T>(script: string, work: (request: Q) => Promise<T>): Promise<void> {
  if (process.argv[1] !== fileURLToPath(script)) return;
  const value = await work(JSON.parse(process.argv[2]!));
  console.log(JSON.stringify({ value, peakMb: peakOf('self') }));
  process.exit(0);
}

/** The package as it was built, which is what users run. */
export const builtSdk = async (): Promise<typeof Sdk> =>
  await import(new URL('../../dist/node/index.js', import.meta.url).href);
