import { existsSync } from 'node:fs'
import { plain } from '../output.ts'
import type { WayChoice, WayName } from './way-choice.ts'

const words: Readonly<Record<WayName, (choice: WayChoice) => string>> = {
  person: () => 'you',
  'client-credentials': ({ keyFile }) =>
    keyFile === undefined ? 'the client itself' : `the client itself, with the key in ${place(keyFile)}`,
  workload: ({ tokenFile }) => `the token of this workload in ${place(tokenFile)}`,
  enterprise: ({ idp }) =>
    `the identity provider of your organisation${idp === undefined ? '' : `, ${plain(idp)}`}`,
  exchange: ({ tokenFile }) => `the token in ${place(tokenFile)}, exchanged`,
}

/** Who or what signs in, as a person says it; a file that is not there any more is told. */
export function wayInWords(choice: WayChoice): string {
  return words[choice.way](choice)
}

/** A file that the choice needs, and that is not there any more. */
export function missingFileOf({ keyFile, tokenFile }: WayChoice): string | undefined {
  return [keyFile, tokenFile].find((file) => file !== undefined && !existsSync(file))
}

function place(file = 'a file'): string {
  return existsSync(file) ? plain(file) : `${plain(file)}, which is not there any more`
}
