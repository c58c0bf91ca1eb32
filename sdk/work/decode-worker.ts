/** What the decode worker runs. */
import { exposeDecoder } from './decode-host.ts';
import { greeted } from './greeted.ts';

greeted('decode', (port) => exposeDecoder(port));
