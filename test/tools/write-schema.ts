/** Writes sdk/contract/manifest.schema.json from the checks that manifests go through: `npm run schema`. */
import { writeFile } from 'node:fs/promises';
import { manifestSchema } from '../../sdk/contract/manifest-form.ts';

const path = new URL('../../sdk/contract/manifest.schema.json', import.meta.url);
await writeFile(path, `${JSON.stringify(manifestSchema(), null, 2)}\n`);
