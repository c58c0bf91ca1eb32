/** A box's connection to an MQTT broker: what waits in the queue goes out in order, at least once, and leaves the queue when the broker has acknowledged it. */
import { randomBytes } from 'node:crypto';
import type { IClientOptions, MqttClient } from 'mqtt';
import { MettleError } from '../../errors.ts';
import type { DiskQueue, Message } from './disk-queue.ts';
import { discoveryMessages, topics } from './messages.ts';

export type BrokerOptions = {
  /** `mqtt://user:password@host:1883`, `mqtts:`, `ws:` or `wss:`. */
  url: string;
  /** Of the box. */
  name: string;
  /** Of Home Assistant's discovery; null for none. */
  discovery: string | null;
  queue: DiskQueue;
  /** Milliseconds between two attempts to connect. */
  retry?: number;
  /** Called when the connection comes and goes. */
  onState?: (connected: boolean, problem: string) => void;
};

/** Milliseconds for goodbyes. */
const farewell = 2000;

export class Broker {
  readonly #client: MqttClient;
  readonly #options: BrokerOptions;
  #pumping: Promise<void> | null = null;
  #closed = false;
  #problem = '';

  private constructor(client: MqttClient, options: BrokerOptions) {
    this.#client = client;
    this.#options = options;
    client.on('connect', () => void this.#greet().catch(() => {}));
    client.on('error', (error) => {
      this.#problem = error.message || (error as NodeJS.ErrnoException).code || error.name;
    });
    client.on('close', () => {
      if (!this.#closed) options.onState?.(false, this.#problem);
    });
  }

  /** Does not wait for the connection, which comes when it comes. Throws `missing-package`, and `invalid-argument` for an address of another kind. */
  static async open(options: BrokerOptions): Promise<Broker> {
    const { connect } = await loadClient();
    const { url, name, retry = 2000 } = options;
    if (!URL.canParse(url) || !/^(mqtts?|wss?):$/.test(new URL(url).protocol)) {
      throw new MettleError('invalid-argument', 'The broker needs an address such as mqtt://user:password@host:1883.');
    }
    const connection: IClientOptions = {
      clientId: `mettle-${name}-${randomBytes(4).toString('hex')}`,
      reconnectPeriod: retry,
      connectTimeout: 10_000,
      queueQoSZero: false,
      // What an ended process leaves in the broker's eyes.
      will: { topic: topics(name).status, payload: Buffer.from('offline'), qos: 1, retain: true },
    };
    return new Broker(connect(url, connection), options);
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  /** Kept on disk before this resolves, sent when the broker is there. */
  async tell(message: Message): Promise<void> {
    await this.#options.queue.add(message);
    this.#pump();
  }

  /** How the box is; where the broker is away it is not told. */
  tellHealth(health: object): void {
    if (!this.connected) return;
    const payload = JSON.stringify(health);
    this.#client.publishAsync(topics(this.#options.name).health, payload, { retain: true }).catch(() => {});
  }

  /** Resolves when nothing waits any more, or the signal's reason. */
  async drained(signal?: AbortSignal): Promise<void> {
    while (this.#options.queue.size > 0) {
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** What waits stays in the queue for the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    const goodbye = async (): Promise<void> => {
      if (this.connected) {
        await this.#client.publishAsync(topics(this.#options.name).status, 'offline', { qos: 1, retain: true });
      }
    };
    const late = new Promise<void>((resolve) => setTimeout(resolve, farewell).unref());
    await Promise.race([goodbye().catch(() => {}), late]);
    await this.#client.endAsync(true);
  }

  async #greet(): Promise<void> {
    this.#problem = '';
    const { name, discovery, onState } = this.#options;
    onState?.(true, '');
    const retained = { qos: 1, retain: true } as const;
    const cards = discovery === null ? [] : discoveryMessages(name, discovery);
    for (const { topic, payload } of cards) await this.#client.publishAsync(topic, payload, retained);
    await this.#client.publishAsync(topics(name).status, 'online', retained);
    this.#pump();
  }

  #pump(): void {
    this.#pumping ??= this.#sendAll()
      .catch(() => {})
      .finally(() => {
        this.#pumping = null;
      });
  }

  /** One after the other. A message that was sent when the connection broke is sent again by the client, as MQTT asks; here it is waited for until it is acknowledged. */
  async #sendAll(): Promise<void> {
    const { queue } = this.#options;
    while (!this.#closed && this.connected) {
      const next = await queue.first();
      if (!next) return;
      const { topic, payload } = next.message;
      await this.#client.publishAsync(topic, payload, { qos: 1 });
      await queue.remove(next.file);
    }
  }
}

async function loadClient(): Promise<typeof import('mqtt')> {
  try {
    return await import('mqtt');
  } catch (cause) {
    throw new MettleError('missing-package', 'The package "mqtt" could not be loaded, which speaks to brokers.', {
      hint: 'Run: npm install mqtt@5.16.0',
      cause,
    });
  }
}
