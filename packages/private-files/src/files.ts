// What needs no lock, and so no database: a program that must start at once loads this alone.
export { readPrivateFile } from './read-private-file.ts'
export { type Purpose, userDirectory } from './user-directory.ts'
export { writePrivateFile } from './write-private-file.ts'
