/** The files for a cluster: the manifest by the API's published schemas, its command line by the command, and versions by package.json. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { listShippedModels } from '../../sdk/cli/models.ts';
import { FakeCommand } from '../helpers/fake-command.ts';

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const manifest = async () => parse(await read('examples/fleet/job.yaml'));

test('the manifest is one of the API', async () => {
  const job = await manifest();
  expect(() => new Job(job).validate()).not.toThrow();
  // That the schemas are those of a Job, and strict about what it holds.
  expect(() => new Job({ ...job, spec: { ...job.spec, parallelism: 'many' } }).validate()).toThrow('parallelism');
  expect(job.spec.template.spec.restartPolicy).toBe('Never');
});

test('its parts are as many as its pods, and together they have every film once', { timeout: 200_000 }, async () => {
  const { spec } = await manifest();
  const { args } = spec.template.spec.containers[0] as { args: string[] };
  expect(spec).toMatchObject({ completionMode: 'Indexed', completions: Number(args[args.indexOf('--shard') + 1]) });
  const root = await mkdtemp(join(tmpdir(), 'mettle-fleet-'));
  const command = await FakeCommand.open();
  try {
    const films = Array.from({ length: 40 }, (_, i) => join(root, `${i}.mp4`));
    await writeFile(join(root, 'list.txt'), films.join('\n'));
    const here = args.map((arg) => arg.replace('/films', root));
    const seen: string[] = [];
    for (let index = 0; index < spec.completions; index++) {
      // There are no such films, which is told of each without a model.
      const env = { JOB_COMPLETION_INDEX: String(index) };
      const { out } = await command.run([...here, '--json'], { env, listModels: listShippedModels });
      seen.push(
        ...out
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line).film),
      );
    }
    expect(seen.sort()).toEqual(films.sort());
  } finally {
    await command.close();
    await rm(root, { recursive: true });
  }
});

test('the container has the packages that this one was tried with', async () => {
  const text = await read('examples/fleet/Containerfile');
  const { name, version, peerDependencies } = JSON.parse(await read('package.json'));
  expect(text).toContain(`${name}@${version} `);
  for (const peer of ['@mediabunny/server', 'onnxruntime-node']) {
    expect(text).toContain(`${peer}@${peerDependencies[peer]}`);
  }
});
