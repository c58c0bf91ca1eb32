/** How each operator of TensorFlow Lite is written in ONNX. What is not here has no translation. */
import type { TfliteNetwork } from './network.ts';
import type { TfliteOperator } from './reader.ts';

/** Writes one operator. Throws `Untranslated` for a form of it that it does not know, and `Unavailable` where an input depends on one. */
export type Rule = (to: TfliteNetwork, operator: TfliteOperator) => void;
