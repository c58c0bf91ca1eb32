/** The option --forms: in which form each variant of an imported package is written. */
import type { Form, Forms } from '../compile/variants.ts';
import { usageError } from './options.ts';

export const FORMS_HELP = `Forms (--forms takes VARIANT=FORM, separated by commas; what is not named is float32)
  wasm                CPUs: float32, int8 (a quarter, fastest), stored8 (a quarter on disk), block8, block4
  webgpu              every GPU: float32, stored8, block8 (a quarter), block4 (an eighth)
  webgpu-f16          GPUs with shader-f16, in pages, instead of webgpu: float16 (half); left out unless named
`;

/** int8 products run on no GPU, and half precision not on every device. */
const formsOf: Record<keyof Forms, readonly Form[]> = {
  wasm: ['float32', 'int8', 'stored8', 'block8', 'block4'],
  webgpu: ['float32', 'stored8', 'block8', 'block4'],
  'webgpu-f16': ['float16'],
};

/** Throws `invalid-argument` where `text` is no such list. */
export function readForms(text: string | undefined, command: string): Forms {
  const forms: Forms = { webgpu: 'float32', wasm: 'float32' };
  const named = new Set<string>();
  for (const item of text?.split(',') ?? []) {
    const [variant, form, ...more] = item.split('=').map((word) => word.trim());
    if (!variant || !form || more.length > 0) {
      throw usageError(`--forms: "${item.trim()}" is not like wasm=int8.`, command);
    }
    if (!isVariant(variant)) {
      throw usageError(`--forms: "${variant}" is none of ${Object.keys(formsOf).join(', ')}.`, command);
    }
    if (named.has(variant)) throw usageError(`--forms names ${variant} twice.`, command);
    named.add(variant);
    const known = formsOf[variant].find((name) => name === form);
    if (!known) throw usageError(`--forms: ${variant} takes ${formsOf[variant].join(', ')}, not "${form}".`, command);
    forms[variant] = known;
  }
  return forms;
}

/** One form, or that of each variant. */
export function formsText(forms: Forms): string {
  const entries = Object.entries<Form>(forms);
  const different = new Set(Object.values<Form>(forms));
  if (different.size === 1) return forms.wasm;
  return entries.map(([variant, form]) => `${variant} ${form}`).join(', ');
}

const isVariant = (name: string): name is keyof Forms => Object.hasOwn(formsOf, name);
