/** A box and a real broker: what arrives, what is lost and what comes twice when broker, connection or process go. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Box } from '../../sdk/node/box/box.ts';
import type { Message } from '../../sdk/node/box/disk-queue.ts';
import { FakeCommand } from '../helpers/fake-command.ts';
import { findings } from '../helpers/findings.ts';
import { absent, freePort, mosquitto, TestServer } from '../helpers/servers.ts';

const message = (id: string): Message => ({ id, topic: 'mettle/b/heard', payload: JSON.stringify({ id }) });
const patience = { timeout: 20_000 };

describe.skipIf(!mosquitto)(`a broker${absent(mosquitto, 'mosquitto')}`, () => {
  let broker: TestServer;
  let state: string;
  let reader: MqttClient;
  let got: { topic: string; payload: string; retain: boolean }[];
  beforeAll(async () => {
    broker = await TestServer.mosquitto();
  });
  afterAll(() => broker?.remove());
  beforeEach(async () => {
    state = await mkdtemp(join(tmpdir(), 'mettle-broker-'));
    await listen();
  });
  afterEach(async () => {
    await reader.endAsync(true);
    await rm(state, { recursive: true, force: true });
  });

  /** A reader that has never been here, or one that the broker keeps messages for. */
  async function listen(clientId?: string): Promise<void> {
    got = [];
    const session = clientId === undefined ? {} : { clientId, clean: false };
    reader = connect(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 50, ...session });
    reader.on('message', (topic, payload, { retain }) => void got.push({ topic, payload: payload.toString(), retain }));
    await new Promise<void>((resolve) => void reader.once('connect', () => resolve()));
    await reader.subscribeAsync('#', { qos: 1 });
  }

  const open = (port = broker.port) =>
    Box.open({
      name: 'b',
      state,
      mqtt: { url: `mqtt://127.0.0.1:${port}`, discovery: 'homeassistant', room: 1e6, retry: 50 },
      health: null,
      env: {},
      onNote: () => {},
    });
  const ids = () => got.filter(({ topic }) => topic === 'mettle/b/heard').map(({ payload }) => JSON.parse(payload).id);

  test('has cards for Home Assistant, and knows whether the box is there', async () => {
    const box = await open();
    await expect.poll(() => got.map(({ topic }) => topic), patience).toContain('mettle/b/status');
    const card = JSON.parse(got.find(({ topic }) => topic === 'homeassistant/event/mettle_b/heard/config')!.payload);
    expect(card).toMatchObject({
      state_topic: 'mettle/b/heard',
      event_types: ['began', 'ended', 'found'],
      availability_topic: 'mettle/b/status',
      unique_id: 'mettle_b_heard',
    });
    await box.close();
    // Whoever comes later is told too.
    await reader.endAsync(true);
    await listen();
    const status = () => got.find(({ topic }) => topic === 'mettle/b/status');
    await expect.poll(status, patience).toEqual({ topic: 'mettle/b/status', payload: 'offline', retain: true });
    expect(got.filter(({ topic }) => topic.startsWith('homeassistant/'))).toHaveLength(4);
  });

  test('that is lost gets all that was told meanwhile when it is back, in order, each once', async () => {
    await reader.endAsync(true);
    await listen('kept');
    const box = await open();
    await box.tell([message('1')]);
    await box.drained();
    await expect.poll(ids, patience).toEqual(['1']);
    await reader.endAsync();
    await broker.save();
    await broker.kill();
    await expect.poll(() => box.health(), patience).toMatchObject({ ok: false });
    for (let id = 2; id <= 30; id++) await box.tell([message(String(id))]);
    expect(box.health()).toMatchObject({ queued: 29, dropped: 0 });
    await broker.start();
    await listen('kept');
    await box.drained();
    await expect.poll(ids, patience).toHaveLength(29);
    expect(ids()).toEqual(Array.from({ length: 29 }, (_, i) => String(i + 2)));
    await expect.poll(() => box.health(), patience).toMatchObject({ ok: true, queued: 0 });
    await box.close();
  });

  test('gets from the next process what one could not tell', async () => {
    const nowhere = await freePort();
    const one = await open(nowhere);
    for (const id of ['1', '2', '3']) await one.tell([message(id)]);
    await one.close();
    const other = await open();
    await other.drained();
    await expect.poll(ids, patience).toEqual(['1', '2', '3']);
    await other.close();
  });

  test('whose answer is lost gets a message again, under the same id', async () => {
    const between = await Between.open(broker.port);
    const box = await open(between.port);
    const online = { topic: 'mettle/b/status', payload: 'online', retain: false };
    await expect.poll(() => got, patience).toContainEqual(online);
    between.mute = true;
    await box.tell([message('1'), message('2')]);
    await expect.poll(ids, patience).toEqual(['1']);
    between.cut();
    await box.drained();
    await expect.poll(ids, patience).toEqual(['1', '1', '2']);
    await box.close();
    await between.close();
  });

  test('is told by the command what films hold, and what begins and ends in a source', async () => {
    const command = await FakeCommand.open();
    const mqtt = ['--mqtt', `mqtt://127.0.0.1:${broker.port}`, '--name', 'b'];
    const folder = join(command.root, 'films');
    await writeFile(join(command.root, 'a.mp4'), 'film');
    expect(await command.run(['watch', command.root, '--once', '--settle', '0', ...mqtt])).toMatchObject({ code: 0 });
    const events = findings().results.flatMap((result) => ('events' in result ? result.events : [])).length;
    const of = (topic: string) => got.filter((one) => one.topic === topic).map(({ payload }) => JSON.parse(payload));
    await expect.poll(() => of('mettle/b/films'), patience).toHaveLength(1);
    expect(of('mettle/b/films')[0]).toMatchObject({ source: 'a.mp4', duration: 2.5, events });
    const found = ['heard', 'seen', 'both'].flatMap((sense) => of(`mettle/b/${sense}`));
    expect(found).toHaveLength(events);
    for (const event of found) expect(event).toMatchObject({ event_type: 'found', source: 'a.mp4' });
    expect(new Set(found.map(({ id }) => id)).size).toBe(events);

    got.length = 0;
    const options = ['--adapter', 'x', '--state', folder, ...mqtt];
    expect(await command.run(['watch', 'rtsp://me:secret@camera/1', ...options])).toMatchObject({ code: 0, err: '' });
    await expect.poll(() => of('mettle/b/heard'), patience).toHaveLength(2);
    const [began, ended] = of('mettle/b/heard');
    expect(began).toMatchObject({ event_type: 'began', label: 'dog', sense: 'heard', end_time: null });
    expect(ended).toMatchObject({ event_type: 'ended', event: began.event, source: 'rtsp://camera/1' });
    expect(ended.end_time - ended.start_time).toBeCloseTo(1.5, 3);
    await command.close();
  });
});

/** Stands between a box and its broker, and can swallow what the broker says. */
class Between {
  mute = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = dial(port, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
      }
      near.pipe(far);
      far.on('data', (chunk) => this.mute || near.write(chunk));
      far.on('close', () => near.destroy());
    });
  }

  static async open(port: number): Promise<Between> {
    const between = new Between(port);
    between.#server.listen(0, '127.0.0.1');
    await once(between.#server, 'listening');
    return between;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    this.mute = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
  }
}
