/** Lets a page be asked to open a peer and to run it: `peer.open(config)` and `peer.run()`, from outside. */
import { type Answer, type Open, type Run, testPicture, timedRun } from './drive.ts';

export type PagePeer = {
  open(config: unknown, size: { width: number; height: number }): Promise<void>;
  run(): Promise<Answer>;
};

export function drivePage(open: Open<never>): void {
  let run: Run | undefined;
  let picture = testPicture(1, 1);
  const peer: PagePeer = {
    async open(config, { width, height }) {
      picture = testPicture(width, height);
      const read = async (path: string) => new Uint8Array(await (await fetch(path)).arrayBuffer());
      run = await open(config as never, read);
    },
    run: () => timedRun(run!, picture),
  };
  Object.assign(globalThis, { peer });
}
