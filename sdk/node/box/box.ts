/** What a box has beside its models, whether it watches a folder or a running source: broker, health, service manager, and what troubles it at the moment. */
import type { Server } from 'node:http';
import { join } from 'node:path';
import { Broker } from './broker.ts';
import { DiskQueue, type Message } from './disk-queue.ts';
import { type Health, serveHealth } from './health.ts';
import { type ServiceManager, serviceManager } from './systemd.ts';

export type BoxOptions = {
  /** Part of topics. */
  name: string;
  /** Folder for what must outlive the process. */
  state: string;
  /** The broker; null where nobody is told. `room` is in bytes, of the disk, for what waits. */
  mqtt: { url: string; discovery: string | null; room: number; retry?: number } | null;
  /** Port for those who ask how it is; null for none. */
  health: number | null;
  env: Record<string, string | undefined>;
  /** One line for the log. */
  onNote: (text: string) => void;
};

/** Milliseconds between two reports of health to the broker. */
const reportPeriod = 30_000;

/** Owns a connection, a port and timers; close it. */
export class Box {
  readonly name: string;
  readonly state: string;
  readonly counts = { films: 0, quarantined: 0, events: 0 };
  readonly #service: ServiceManager;
  readonly #onNote: (text: string) => void;
  readonly #problems = new Map<string, string>();
  #broker: Broker | null = null;
  #queue: DiskQueue | null = null;
  #server: Server | null = null;
  #timer: NodeJS.Timeout | undefined;

  private constructor({ name, state, env, onNote }: BoxOptions) {
    this.name = name;
    this.state = state;
    this.#onNote = onNote;
    this.#service = serviceManager(env);
  }

  /** Throws what the broker's client and the port throw at once; a broker that is away is waited for. */
  static async open(options: BoxOptions): Promise<Box> {
    const box = new Box(options);
    try {
      await box.#open(options);
      return box;
    } catch (error) {
      await box.close();
      throw error;
    }
  }

  async #open({ name, state, mqtt, health }: BoxOptions): Promise<void> {
    if (mqtt) {
      this.#queue = await DiskQueue.open(join(state, 'queue'), mqtt.room);
      const onState = (connected: boolean, problem: string): void => {
        this.trouble('broker', connected ? null : `The broker cannot be reached${problem && `: ${problem}`}.`);
      };
      this.#broker = await Broker.open({ ...mqtt, name, queue: this.#queue, onState });
    }
    if (health !== null) this.#server = await serveHealth(health, () => this.health());
    this.#timer = setInterval(() => this.#broker?.tellHealth(this.health()), reportPeriod);
    this.#timer.unref();
  }

  /** Models are loaded. */
  ready(): void {
    this.#service.ready();
  }

  /** The work gets on. */
  alive(): void {
    this.#service.alive();
  }

  /** Kept before this resolves, sent when the broker is there. */
  async tell(messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.#broker?.tell(message);
  }

  note(text: string): void {
    this.#onNote(text);
  }

  /** Something of this kind keeps the box from its work, or, with null, no longer does. Noted when it changes. */
  trouble(kind: string, problem: string | null): void {
    if ((this.#problems.get(kind) ?? null) === problem) return;
    if (problem === null) this.#problems.delete(kind);
    else {
      this.#problems.set(kind, problem);
      this.note(problem);
    }
    this.#broker?.tellHealth(this.health());
  }

  health(): Health {
    const problems = [...this.#problems.values()];
    const waiting = { queued: this.#queue?.size ?? 0, dropped: this.#queue?.dropped ?? 0 };
    return { ok: problems.length === 0, problems, ...this.counts, ...waiting };
  }

  /** Resolves when the broker has everything. Throws the signal's reason. */
  async drained(signal?: AbortSignal): Promise<void> {
    await this.#broker?.drained(signal);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#service.close();
    this.#server?.close();
    this.#server?.closeAllConnections();
    await this.#broker?.close();
  }
}
