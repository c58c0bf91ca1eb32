/** Turns what mediabunny and the decoders throw into a MettleError. It is no validation: arguments are checked where they come in. */
import { InputDisposedError, UnsupportedInputFormatError } from 'mediabunny';
import { disposedClip } from '../contract/clip.ts';
import { MettleError } from '../errors.ts';

/** The container reader checks what it finds with bare assertions, and takes some damage for a fault of its own. */
const ofReader = /^Assertion failed|likely an internal error|^Slicing outside/;

/** The error a caller should see for `error`, which came up while doing `what` (a clause like "reading the container"). */
export function asMettleError(error: unknown, what: string): MettleError {
  if (error instanceof MettleError) return error;
  if (error instanceof InputDisposedError) return disposedClip();
  if (error instanceof UnsupportedInputFormatError) {
    return new MettleError(
      'not-media',
      'The source is no audio or video file that can be read: expected MP4, QuickTime, WebM, Matroska, Ogg, WAVE, FLAC, MP3, ADTS or MPEG-TS.',
      { hint: 'Check that it is a complete media file and no web page or error message.', cause: error },
    );
  }
  const known = knownCause(error);
  if (known) return known;
  const told = error instanceof Error ? error.message : String(error);
  const message = ofReader.test(told) ? 'its bytes break the rules of its format.' : told;
  if (error instanceof TypeError && /fetch/i.test(message)) {
    return new MettleError('network', `The source could not be fetched while ${what}: ${message}`, {
      hint: 'Check the address, the connection, and that the server allows cross-origin requests.',
      cause: error,
    });
  }
  return new MettleError('not-media', `The source could not be read while ${what}: ${message}`, {
    hint: 'The file is probably damaged; re-encode it, for example with: ffmpeg -i clip.mp4 -c:v libx264 -c:a aac repaired.mp4',
    cause: error,
  });
}

/** What mediabunny tells in words alone, or null. */
export function knownCause(cause: unknown): MettleError | null {
  const told = cause instanceof Error ? cause.message : String(cause);
  if (told.startsWith('Attempted to read data from an already-evicted part')) {
    return new MettleError(
      'network',
      'The server sends whole files only, and this one is needed out of order: more than 64 MiB lie between its index and what the index names.',
      {
        hint: 'Let the server answer ranges (206 Partial Content), put the index first (ffmpeg -i clip.mp4 -c copy -movflags +faststart out.mp4), or fetch the file and hand over its Blob.',
        cause,
      },
    );
  }
  if (told.startsWith('"moof" box encountered with no "moov" box')) {
    return new MettleError(
      'not-media',
      'The source is one piece of a stream in pieces (such as .m4s), without the head that belongs to it; expected a complete file.',
      { hint: 'Put the head before it: cat init.mp4 piece.m4s > piece.mp4', cause },
    );
  }
  if (told.startsWith('Unsupported WAVE codec')) {
    return new MettleError(
      'unsupported-codec',
      `The sound of the WAVE file is coded in a way that cannot be decoded here (${/format tag \d+/.exec(told)?.[0] ?? told}); expected PCM, A-law or mu-law.`,
      { hint: 'Re-encode it, for example: ffmpeg -i sound.wav -c:a pcm_s16le out.wav', cause },
    );
  }
  return null;
}
