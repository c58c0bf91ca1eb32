/** Where this package lies. Bundles of it lie two folders deep, as this module does. */

/** Folder of package.json, as a URL that ends with `/`. Cut out of a text, because a server's bundler would look for a module where it sees `new URL('../../', import.meta.url)`. */
export const packageRoot = new URL(import.meta.url.replace(/(?:[^/]+\/){2}[^/]+$/, ''));
