/** Watches that a worker gets on while somebody waits for it. */

/**
 * Counts seconds in which a call was open and no word of progress came. Ticks are counted, not the clock: a computer that slept, or a thread that was busy, is no
 * reason to end a worker.
 */
export class Watchdog {
  readonly #port: MessagePort;
  readonly #seconds: number;
  readonly #onStall: () => void;
  #open = 0;
  #idle = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  /** Any message at `port` is progress. `onStall` is called after `seconds` without one. */
  constructor(port: MessagePort, seconds: number, onStall: () => void) {
    this.#port = port;
    this.#seconds = seconds;
    this.#onStall = onStall;
    port.onmessage = () => {
      this.#idle = 0;
    };
    // In Node an open port would keep the process alive.
    (port as { unref?: () => void }).unref?.();
  }

  /** Watches until `call` settles, and settles as it does. */
  async during<T>(call: Promise<T>): Promise<T> {
    this.#open++;
    this.#idle = 0;
    this.#timer ??= setInterval(() => this.#tick(), 1000);
    try {
      return await call;
    } finally {
      this.#open--;
      if (this.#open === 0) this.#rest();
    }
  }

  end(): void {
    this.#rest();
    this.#port.close();
  }

  #tick(): void {
    this.#idle++;
    if (this.#idle < this.#seconds) return;
    this.#rest();
    this.#onStall();
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}
