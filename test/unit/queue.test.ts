/** The line in front of the runtime. */
import { describe, expect, it } from 'vitest';
import { RuntimeQueue } from '../../sdk/engine/queue.ts';

const pause = (milliseconds = 0) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe('RuntimeQueue', () => {
  it('runs jobs of all queues of a thread one at a time, in the order they came', async () => {
    const [one, two] = [new RuntimeQueue(), new RuntimeQueue()];
    const log: string[] = [];
    const job = (name: string, milliseconds: number) => async () => {
      log.push(`${name} starts`);
      await pause(milliseconds);
      log.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all([one.run(job('a', 15)), two.run(job('b', 0)), one.run(job('c', 5))]);
    expect(results).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends', 'c starts', 'c ends']);
  });

  it('goes on after a job that throws or rejects', async () => {
    const queue = new RuntimeQueue();
    const thrown = queue.run(() => {
      throw new RangeError('thrown');
    });
    const rejected = queue.run(() => Promise.reject(new Error('rejected')));
    const fine = queue.run(() => 3);
    await expect(thrown).rejects.toThrow(RangeError);
    await expect(rejected).rejects.toThrow('rejected');
    expect(await fine).toBe(3);
  });

  it('on dispose lets the running job end, rejects the rest, and releases last and once', async () => {
    const queue = new RuntimeQueue();
    const log: string[] = [];
    const running = queue.run(async () => {
      await pause(10);
      log.push('job');
    });
    await pause();
    const waiting = queue.run(() => log.push('never'));
    const release = async () => {
      log.push('release');
    };
    const ends = [queue.dispose(release), queue.dispose(release)];
    await expect(waiting).rejects.toMatchObject({ code: 'disposed' });
    await Promise.all([running, ...ends]);
    await expect(queue.run(() => 1)).rejects.toMatchObject({ code: 'disposed' });
    expect(log).toEqual(['job', 'release']);
  });

  it('leaves other queues alone when one is disposed', async () => {
    const [one, two] = [new RuntimeQueue(), new RuntimeQueue()];
    const gone = one.run(() => 1);
    const stays = two.run(() => 2);
    const end = one.dispose(async () => {});
    await expect(gone).rejects.toMatchObject({ code: 'disposed' });
    expect(await stays).toBe(2);
    await end;
  });
});
