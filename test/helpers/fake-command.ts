/** The `mettle` command with a made-up SDK behind it, a folder of its own, and what it wrote to which stream. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { main } from '../../sdk/cli/main.ts';
import type { CliIo, CreateMettle, MettleSession, ShippedModel } from '../../sdk/cli/types.ts';
import { DEFAULT_BACKBONE } from '../../sdk/contract/registry.ts';
import { MettleError } from '../../sdk/errors.ts';
import { explainedSecond, spot } from './explanation.ts';
import { findings, HOSTILE_LABEL } from './findings.ts';

const silence = {
  scope: { senses: ['audio' as const], world: 'Dogs at night.', unknown: 'Cats.' },
  keepsSilent: true,
};
export const models: ShippedModel[] = [
  { kind: 'backbone', id: DEFAULT_BACKBONE, version: '1.0.0', untrained: true },
  {
    kind: 'adapter',
    id: 'nano-ave',
    version: '1.0.0',
    untrained: true,
    task: 'localize',
    backbone: DEFAULT_BACKBONE,
    ...silence,
  },
  {
    kind: 'adapter',
    id: 'nano-avs',
    version: '1.0.0',
    untrained: false,
    task: 'segment',
    backbone: DEFAULT_BACKBONE,
    ...silence,
  },
  {
    kind: 'adapter',
    id: 'large-llp',
    version: '1.0.0',
    untrained: false,
    task: 'parse',
    backbone: 'large',
    ...silence,
  },
];

/** A session that finds the same in every clip, and complains about those that are named after their fault. */
function fakeSession(): MettleSession & { disposed: boolean } {
  return {
    disposed: false,
    info: () => findings().engine!,
    async analyze(source, { explain, onProgress, onSegment, signal, thumbnailHeight }) {
      if (source.includes('missing'))
        throw new MettleError('not-found', `There is no file "${source}".`, { hint: 'Check the\npath.' });
      if (source.includes('broken')) throw new TypeError('x is not a function');
      const { thumbnails, ...rest } = findings();
      for (let index = 0; index < 3; index++) {
        signal?.throwIfAborted();
        const thumbnail = thumbnailHeight ? thumbnails[index]! : null;
        onSegment?.({ index, start: index, end: index + 1, frame: null, pcm: null, thumbnail });
        onProgress?.({ phase: 'segments', done: index + 1, total: 3 });
      }
      if (!explain) return rest;
      const explanation = [0, 1, 2].map((start) => explainedSecond(start, spot(2, 2, 0), spot(4, 2, 1)));
      return { ...rest, results: rest.results.map((result) => ({ ...result, explanation })) };
    },
    async embed(source) {
      if (source.includes('broken')) throw new MettleError('not-media', 'This is no film.');
      const turned = (angle: number) => Float32Array.of(Math.cos(angle), Math.sin(angle));
      const seconds = [0, 1, 2].map((start) => ({
        start,
        end: start + 1,
        audio: turned(start + (source.endsWith('b.mp4') ? 0.1 : 0)),
        visual: null,
      }));
      return { adapter: 'a', duration: 3, seconds, warnings: [] };
    },
    async *watch(source, { signal }) {
      const { results } = findings();
      const event = {
        id: 1,
        adapter: 'a',
        modality: 'audio' as const,
        classIndex: 0,
        resolution: 0.5,
        confidence: 0.9,
      };
      const dog = { ...event, label: source.includes('hostile') ? HOSTILE_LABEL : 'dog', start: 0.25, end: 1.75 };
      const none = { began: [], ongoing: [], ended: [] };
      const base = { wallTime: 0, latency: 3, dropped: 0, results, warnings: [], last: false };
      yield { ...base, index: 0, start: 0.25, end: 0.75, heard: 1, events: { ...none, began: [dog] } };
      signal?.throwIfAborted();
      yield { ...base, index: 1, start: 0.75, end: 1.25, heard: 1.5, events: none };
      yield { ...base, index: 4, start: 2.25, end: 2.75, heard: 3, dropped: 2, events: { ...none, ended: [dog] } };
    },
    async dispose() {
      this.disposed = true;
    },
  };
}

export type Call = { code: number; out: string; err: string };

export class FakeCommand {
  readonly session = fakeSession();
  readonly createMettle = vi.fn<CreateMettle>(async ({ onProgress }) => {
    onProgress?.({ phase: 'download', model: 'nano', file: 'a.onnx', done: 5e5, total: 1e6 });
    onProgress?.({ phase: 'load', done: 1, total: 2 });
    return this.session;
  });
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async open(): Promise<FakeCommand> {
    return new FakeCommand(await mkdtemp(join(tmpdir(), 'mettle-cli-')));
  }

  async run(args: string[], io: Partial<CliIo> & { tty?: boolean } = {}): Promise<Call> {
    const out: string[] = [];
    const err: string[] = [];
    const isTTY = io.tty;
    const code = await main(args, {
      stdout: { write: (text) => out.push(text), isTTY, columns: 96 },
      stderr: { write: (text) => err.push(text), isTTY, columns: 96 },
      createMettle: this.createMettle,
      listModels: async () => models,
      ...io,
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  close(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}
