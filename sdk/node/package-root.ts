/** Where this package lies. Bundles of it lie two folders deep, as this module does. */

/** Folder of package.json, as a URL that ends with `/`. */
export const packageRoot = new URL('../../', import.meta.url);
