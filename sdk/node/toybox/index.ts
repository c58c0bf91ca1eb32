/** The toybox on disk. */
export { type ToyboxOptions, type ToyboxReport, writeToybox } from './write.ts';
