/** A running source: what begins and ends in it is told to the broker; where it is lost it is opened again. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Task } from '../../contract/task.ts';
import { MettleError } from '../../errors.ts';
import type { LiveEvent } from '../../live/tracker.ts';
import type { Moment } from '../../live/watch.ts';
import type { Box } from './box.ts';
import { type LiveSession, liveMessage } from './messages.ts';
import type { BoxSession } from './types.ts';

export type SourceJob = {
  address: string;
  /** What others call it; no part of the address that must stay secret. */
  title: string;
  hop?: number;
  tasks?: Task[];
  /** Whether it is opened again when it has ended or was lost. */
  reopen: boolean;
  signal: AbortSignal;
  onMoment: (moment: Readonly<Moment>) => void;
};

/** Seconds to the next attempt; doubled while they fail. */
const waits = { least: 1, most: 60 };

/** Ends with the source, unless it is to be opened again. Throws what ended it, or the signal's reason; events that go on are told as ended then. */
export async function watchSource(box: Box, session: BoxSession, job: SourceJob): Promise<void> {
  const { reopen, signal } = job;
  for (let wait = waits.least; ; wait = Math.min(waits.most, 2 * wait)) {
    box.alive();
    const onMoment = (): void => {
      wait = waits.least;
      box.alive();
      box.trouble('source', null);
    };
    try {
      await watchOnce(box, session, job, onMoment);
      if (!reopen) return;
      box.trouble('source', 'The source has ended.');
    } catch (error) {
      if (signal.aborted || !reopen || !(error instanceof MettleError)) throw error;
      box.trouble('source', error.message);
    }
    await setTimeout(wait * 1000, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

async function watchOnce(box: Box, session: BoxSession, job: SourceJob, onMoment: () => void): Promise<void> {
  const { address, title, hop, tasks, signal } = job;
  const live: LiveSession = { name: box.name, source: title, id: randomBytes(6).toString('hex') };
  const open = new Map<number, LiveEvent>();
  let startedAt = Date.now() / 1000;
  try {
    for await (const moment of session.watch(address, { hop, tasks, signal })) {
      onMoment();
      startedAt = moment.wallTime / 1000 - moment.heard;
      const { began, ongoing, ended } = moment.events;
      for (const event of [...began, ...ongoing]) open.set(event.id, event);
      for (const event of ended) open.delete(event.id);
      await box.tell([
        ...began.map((event) => liveMessage(live, 'began', event, startedAt)),
        ...ended.map((event) => liveMessage(live, 'ended', event, startedAt)),
      ]);
      box.counts.events += began.length;
      job.onMoment(moment);
    }
  } finally {
    await box.tell([...open.values()].map((event) => liveMessage(live, 'ended', event, startedAt)));
  }
}
