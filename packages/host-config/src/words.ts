// What reads single words, for those who start often and need neither files nor parsers.
export { readPieces } from './expand.ts'
export { isHeaderName, isHeaderValue } from './hosts/entry-reader.ts'
