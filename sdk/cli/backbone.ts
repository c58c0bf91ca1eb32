/** `mettle backbone`: makes backbone packages out of what others published. Which part does the work is all that is decided here. */
import { didYouMean } from '../did-you-mean.ts';
import { usageError } from './options.ts';
import type { Io } from './types.ts';

export const BACKBONE_HELP = `Usage
  mettle backbone add [NAME] [options]          a published network by name: downloaded, checked, made a package
  mettle backbone import CHECKPOINT [options]   published checkpoints of Swin-V2, HTS-AT or both as a package
  mettle backbone import MODEL.tflite [options] a TensorFlow Lite network as a package
  mettle backbone tap MODEL.onnx [options]      any ONNX network as a package: choose which values adapters read

  mettle backbone NAME --help                   options of one of them
`;

/** Returns the exit code. Loaded late, so that help and wrong usage cost nothing. */
export async function backbone(argv: string[], io: Io): Promise<number> {
  const [name, ...rest] = argv;
  switch (name) {
    case 'add': {
      const { backboneAdd } = await import('./backbone-add.ts');
      return await backboneAdd(rest, io);
    }
    case 'import': {
      const { backboneImport } = await import('./backbone-import.ts');
      return await backboneImport(rest, io);
    }
    case 'tap': {
      const { backboneTap } = await import('./backbone-tap.ts');
      return await backboneTap(rest, io);
    }
    case '--help':
    case '-h':
      io.stdout.write(BACKBONE_HELP);
      return 0;
    case undefined:
      throw usageError('"mettle backbone" needs a name: add, import or tap.', 'backbone');
    default:
      throw usageError(
        `"mettle backbone ${name}" is no command; expected add, import or tap.${didYouMean(name, ['add', 'import', 'tap'])}`,
        'backbone',
      );
  }
}
