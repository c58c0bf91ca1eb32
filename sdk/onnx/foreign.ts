/** What a file is that should be an ONNX network and is none, by how it begins; and what to do about it. */
import { MettleError } from '../errors.ts';

type Kind = { is: string; hint: string };

const exportIt = 'Export the network to ONNX, for example with torch.onnx.export, and tap that file.';
const download = 'Download the file itself.';

const kinds: [(head: Uint8Array, text: string) => boolean, Kind][] = [
  [
    (_, text) => text.startsWith('version https://git-lfs'),
    {
      is: 'a pointer of Git LFS to a file that was not downloaded',
      hint: 'Run "git lfs pull", or download the file itself.',
    },
  ],
  [
    (_, text) => /^\s*<(!doctype|html|\?xml|head|body)/i.test(text),
    { is: 'a web page, not the file that it links to', hint: download },
  ],
  [
    (_, text) => text.slice(4, 8) === 'TFL3',
    { is: 'a TensorFlow Lite model', hint: 'It is for "mettle backbone import".' },
  ],
  [
    (head) => begins(head, [0x50, 0x4b]),
    {
      is: 'a ZIP archive, as PyTorch writes checkpoints (.pth, .pt, .ckpt)',
      hint: `A checkpoint of Swin-V2 or HTS-AT is for "mettle backbone import". ${exportIt}`,
    },
  ],
  [
    (head) => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5,
    { is: 'a pickle, as older PyTorch checkpoints are', hint: `Nothing in it is run. ${exportIt}` },
  ],
  [
    (head) => head.length > 9 && head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0),
    {
      is: 'a safetensors file: weights without a network',
      hint: `A checkpoint of Swin-V2 or HTS-AT is for "mettle backbone import". ${exportIt}`,
    },
  ],
  [(head) => begins(head, [0x1f, 0x8b]), { is: 'compressed with gzip', hint: 'Unpack it first.' }],
  [
    (head) => begins(head, [0x89, 0x48, 0x44, 0x46]),
    { is: 'an HDF5 file, as Keras writes models', hint: 'Convert it to ONNX first, for example with tf2onnx.' },
  ],
  [(head) => begins(head, [0x47, 0x47, 0x55, 0x46]), { is: 'a GGUF file', hint: exportIt }],
];

/** Throws `invalid-file` that begins with `where` for a file that is known to be of another kind; lets pass what may be ONNX. */
export function refuseForeign(bytes: Uint8Array, where: string): void {
  if (bytes.byteLength === 0) {
    throw new MettleError('invalid-file', `${where}: empty, expected an ONNX model.`, { hint: download });
  }
  const head = bytes.subarray(0, 200);
  const text = String.fromCharCode(...head);
  const found = kinds.find(([matches]) => matches(head, text))?.[1];
  if (found)
    throw new MettleError('invalid-file', `${where}: ${found.is}; expected an ONNX model.`, { hint: found.hint });
}

const begins = (head: Uint8Array, bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);
