/** What is to come of each fault, in Node and in a page alike. */
import { chunkBytes, type FaultLog, weightsBytes } from './fault-file.ts';
import type { FaultName } from './fault-server.ts';

export type FaultCase = {
  fault: FaultName;
  /** Undefined where the download is to succeed in spite of it. */
  error?: { code: string; message: RegExp; hint?: RegExp };
  /** Most bytes of the weights that may be sent until then. */
  mostSent?: number;
  /** Bytes of good pieces that are kept when it has failed: the second try asks for no more than the others. */
  keeps?: number;
};

const wholeChunks = (bytes: number): number => Math.floor(bytes / chunkBytes) * chunkBytes;
const once = weightsBytes + 2 * chunkBytes;

export const faultCases: FaultCase[] = [
  { fault: 'none', mostSent: weightsBytes },
  { fault: 'drip', mostSent: weightsBytes },
  { fault: 'resets', mostSent: once },
  { fault: '500-once', mostSent: weightsBytes },
  { fault: '429-once', mostSent: weightsBytes },
  { fault: '503-once', mostSent: weightsBytes },
  { fault: '503-other-clock', mostSent: weightsBytes },
  { fault: 'redirect', mostSent: weightsBytes },
  { fault: 'gzip' },
  { fault: 'no-range', mostSent: 1.6 * weightsBytes },
  {
    fault: 'truncated',
    error: { code: 'network', message: /broke off|could not be fetched/ },
    keeps: wholeChunks(weightsBytes / 2),
  },
  {
    fault: 'short',
    error: { code: 'integrity', message: /expected 320000 bytes with sha256-\S+, got 160000 bytes/ },
    keeps: wholeChunks(weightsBytes / 2),
  },
  {
    fault: 'bit-flipped',
    error: { code: 'integrity', message: /got other bytes from 98304 to 114688\./ },
    keeps: wholeChunks(100_000),
  },
  {
    fault: 'zero-tail',
    error: { code: 'integrity', message: /got other bytes from 147456 to 163840\./ },
    keeps: 147_456,
  },
  { fault: 'html', error: { code: 'integrity', message: /got an HTML page, text\/html\./ }, keeps: 0 },
  { fault: 'longer', error: { code: 'integrity', message: /got more than 320000 bytes\./ }, keeps: 0 },
  { fault: 'far-longer', error: { code: 'integrity', message: /got 420000 bytes\./ }, keeps: 0 },
  { fault: 'silence', error: { code: 'network', message: /sent nothing for 0\.4 s\./ }, keeps: 0 },
  {
    fault: 'silence-midway',
    error: { code: 'network', message: /sent nothing for 0\.4 s\./ },
    keeps: wholeChunks(weightsBytes / 2),
  },
  { fault: '500', error: { code: 'network', message: /was refused with HTTP 500/ }, mostSent: 0, keeps: 0 },
  { fault: '503-for-an-hour', error: { code: 'network', message: /HTTP 503/, hint: /asks to wait 3600 s/ }, keeps: 0 },
  { fault: '403', error: { code: 'network', message: /was refused with HTTP 403/ }, keeps: 0 },
  { fault: '404', error: { code: 'not-found', message: /does not exist \(HTTP 404\)/ }, keeps: 0 },
  { fault: 'redirect-loop', error: { code: 'network', message: /redirect|fetch/i }, keeps: 0 },
  { fault: 'redirect-to-ftp', error: { code: 'network', message: /redirects to ftp:|fetch/i }, keeps: 0 },
  {
    fault: 'other-version',
    error: { code: 'integrity', message: /got other bytes from \d+ to \d+\./ },
    keeps: wholeChunks(weightsBytes / 2),
  },
];

/** Seconds of silence that the download bears: few where there is nothing but silence. */
export const patienceFor = (fault: FaultName): number => (fault.startsWith('silence') ? 0.4 : 20);

export const logOf = async (server: string, run: string): Promise<FaultLog> =>
  (await fetch(`${server}/log/${run}`)).json();
