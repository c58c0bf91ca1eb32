/**
 * What systemd is told of a service: that it is ready, and again and again that it is alive. Node has no sockets of the kind that systemd listens on, so `systemd-notify`, which
 * comes with systemd, speaks for it; the unit therefore needs `NotifyAccess=all`.
 */
import { execFile } from 'node:child_process';
import process from 'node:process';

export type ServiceManager = {
  /** Says READY=1, once. */
  ready(): void;
  /** The work gets on; without it for `patience` seconds WATCHDOG=1 is no longer said, and systemd starts the service again. */
  alive(): void;
  close(): void;
};

/** Seconds within which something has to get on: the longest wait between two looks at a folder, and the longest that a decoder may stand still, lie below it. */
const patience = 90;

/** Speaks to nobody where `NOTIFY_SOCKET` is not set. `env` holds what systemd gave: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. */
export function serviceManager(env: Record<string, string | undefined> = process.env): ServiceManager {
  if (!env.NOTIFY_SOCKET) return { ready: () => {}, alive: () => {}, close: () => {} };
  const say = (...words: string[]): void => {
    execFile('systemd-notify', words, { env: { ...process.env, ...env } }, () => {});
  };
  let last = performance.now();
  const period = watchdogPeriod(env);
  const timer =
    period === null
      ? undefined
      : setInterval(() => {
          if (performance.now() - last < patience * 1000) say('WATCHDOG=1');
        }, period / 2);
  timer?.unref();
  return {
    ready: () => say('--ready'),
    alive() {
      last = performance.now();
    },
    close() {
      clearInterval(timer);
      say('STOPPING=1');
    },
  };
}

/** Milliseconds; null where no watchdog is set for this process. */
function watchdogPeriod({ WATCHDOG_USEC, WATCHDOG_PID }: Record<string, string | undefined>): number | null {
  const period = Number(WATCHDOG_USEC) / 1000;
  const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
  return isOurs && period > 0 ? period : null;
}
