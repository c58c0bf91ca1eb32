/** Files of trained weights that other projects publish: which container one is, and its tensors, each read when it is asked for. */
import { checkArgument, record } from '../../contract/options.ts';
import { callersOwn, throughDoor } from '../../door.ts';
import { headerOf } from '../safetensors.ts';
import { type ByteSource, type Fail, failIn, quote, readPart } from './byte-source.ts';
import { decodeElements, isElementType } from './elements.ts';
import { openTorchFile } from './torch-file.ts';
import type { Checkpoint, CheckpointTensor } from './types.ts';

/**
 * Looks into a checkpoint; reads no weights yet. `where` names the file in errors.
 * Throws `invalid-file` that says what the file is instead, where that can be told.
 */
export async function openCheckpoint(source: ByteSource, where: string): Promise<Checkpoint> {
  return await throughDoor(undefined, () => {
    checkArgument(source, record, 'source');
    return open(callersOwn(source), where);
  });
}

async function open(source: ByteSource, where: string): Promise<Checkpoint> {
  const fail = failIn(where);
  if (source.size === 0) fail('empty');
  const head = await readPart(source, 0, Math.min(source.size, 16), 'its beginning', fail);
  if (begins(head, [0x50, 0x4b, 3, 4])) return await openTorchFile(source, fail);
  if (looksLikeSafetensors(head)) return await openSafetensors(source, where, fail);
  return refuse(head, fail);
}

async function openSafetensors(source: ByteSource, where: string, fail: Fail): Promise<Checkpoint> {
  const start = await readPart(source, 0, Math.min(source.size, 8), 'the length of the header', fail);
  const headerBytes = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  // `headerOf` itself checks the length; reading no more than a bounded head keeps a wrong one harmless.
  const headBytes = headerBytes < 30_000_000n ? Math.min(source.size, 8 + Number(headerBytes)) : 8;
  const head = await readPart(source, 0, headBytes, 'the header', fail);
  const tensors = new Map<string, CheckpointTensor>();
  const header = headerOf(head, where, source.size);
  for (const [name, { dtype, shape, offset, length }] of header.tensors) {
    if (!isElementType(dtype)) {
      fail(`tensor ${quote(name)} has elements of type ${dtype}, expected floating point, integers or booleans`);
      continue;
    }
    tensors.set(name, {
      dtype,
      shape,
      bytes: length,
      read: async () => decodeElements(await readPart(source, offset, length, `tensor ${quote(name)}`, fail), dtype),
    });
  }
  return { container: 'safetensors', nested: null, tensors, others: [], notes: header.metadata };
}

const begins = (head: Uint8Array, bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);

/** A length below 16 MB in 8 bytes, then the brace of the header. */
const looksLikeSafetensors = (head: Uint8Array): boolean =>
  head.length > 8 && head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0);

const resave =
  'Get the weights as safetensors. What you made yourself: torch.save(torch.load("old.pth", weights_only=True), "new.pth").';

function refuse(head: Uint8Array, fail: Fail): never {
  if (begins(head, [0x80])) {
    return fail(
      'a pickle in the form of PyTorch before 1.6, or of another program; expected safetensors or a PyTorch ZIP file',
      resave,
    );
  }
  const known: [readonly number[], string][] = [
    [[0x50, 0x4b], 'an empty or divided ZIP archive'],
    [[0x1f, 0x8b], 'compressed with gzip'],
    [[0x37, 0x7a, 0xbc, 0xaf], 'a 7z archive'],
    [[0x89, 0x48, 0x44, 0x46], 'an HDF5 file'],
    [[0x93, 0x4e, 0x55, 0x4d], 'a NumPy array'],
    [[0x47, 0x47, 0x55, 0x46], 'a GGUF file'],
    [[0x76, 0x65, 0x72, 0x73], 'a pointer of Git LFS to a file that was not downloaded'],
    [[0x3c], 'a web page, not the file that it links to'],
  ];
  const is = known.find(([bytes]) => begins(head, bytes))?.[1] ?? 'of unknown kind';
  return fail(`${is}; expected safetensors, or a PyTorch file (.pth, .ckpt, .bin)`, 'Download the checkpoint itself.');
}
