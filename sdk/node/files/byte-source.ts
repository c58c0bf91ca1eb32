/** A file of any size as a source of bytes, and its digest. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { MettleError } from '../../errors.ts';
import type { ByteSource } from '../../onnx/checkpoint/byte-source.ts';

const chunkBytes = 4 << 20;

/** Keeps the file open until it is disposed. */
export class FileByteSource implements ByteSource, AsyncDisposable {
  readonly size: number;
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, size: number) {
    this.#path = path;
    this.#file = file;
    this.size = size;
  }

  /** Throws `not-found` where there is no file that can be read, `invalid-argument` for a folder. */
  static async open(path: string): Promise<FileByteSource> {
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'r');
      const stats = await file.stat();
      if (stats.isFile()) return new FileByteSource(path, file, stats.size);
    } catch (cause) {
      await file?.close();
      throw unreadable(path, cause);
    }
    await file.close();
    throw new MettleError('invalid-argument', `${path} is not a file.`, {
      hint: 'Name the checkpoint file itself, such as model.safetensors in it.',
    });
  }

  /** Throws `not-found` where the disk fails. A file that has become shorter gives fewer bytes. */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let done = 0;
    try {
      while (done < length) {
        const step = Math.min(length - done, 1 << 30);
        const { bytesRead } = await this.#file.read(bytes, done, step, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } catch (cause) {
      throw unreadable(this.#path, cause);
    }
    return bytes.subarray(0, done);
  }

  /** SHA-256 of the whole file in hexadecimal digits. */
  async sha256({ signal, onBytes }: { signal?: AbortSignal; onBytes?: (read: number) => void } = {}): Promise<string> {
    const hash = createHash('sha256');
    for (let at = 0; at < this.size; at += chunkBytes) {
      signal?.throwIfAborted();
      hash.update(await this.read(at, Math.min(chunkBytes, this.size - at)));
      onBytes?.(Math.min(this.size, at + chunkBytes));
    }
    return hash.digest('hex');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

function unreadable(path: string, cause: unknown): MettleError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const what = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
  return new MettleError('not-found', `${path} ${what}.`, { hint: 'Check the path.', cause });
}
