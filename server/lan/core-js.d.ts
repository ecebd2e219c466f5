/** Puts `getMetadata` and its like onto `Reflect`, which the certificate library looks for. It has no types of its own. */
declare module 'core-js/proposals/reflect-metadata.js'
