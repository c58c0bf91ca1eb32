#!/usr/bin/env node
/** The program: connects `main` with the process. Ctrl-C stops the work and cleans up; a second one ends at once. */
import process from 'node:process';
import { main } from './main.ts';
import { reportError } from './report-error.ts';

const controller = new AbortController();
let stoppedBy = 0;
for (const [name, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
  process.on(name, () => {
    if (stoppedBy) process.exit(code);
    stoppedBy = code;
    controller.abort(new DOMException('Interrupted.', 'AbortError'));
  });
}
// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const { stdin, stdout, stderr, env } = process;
// What no command waits for, such as a rejection inside a library, ends in the same two lines.
process.on('uncaughtException', (error) => {
  process.exitCode = reportError(error, { stderr }, { verbose: process.argv.includes('--verbose') });
  process.exit();
});
const { signal } = controller;
const ask = async (question: string): Promise<string> => {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: stdout });
  try {
    return await terminal.question(question, { signal });
  } finally {
    terminal.close();
  }
};
const isTerminal = process.stdin.isTTY === true && stdout.isTTY === true;
const code = await main(process.argv.slice(2), { stdin, stdout, stderr, env, signal, ...(isTerminal ? { ask } : {}) });
// Threads of a runtime may outlive their work; what was written to a pipe must still get out.
stdout.write('', () => stderr.write('', () => process.exit(code === 130 && stoppedBy ? stoppedBy : code)));
