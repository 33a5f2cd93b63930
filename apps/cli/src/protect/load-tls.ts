import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { messageOf } from '@warder/protocol'
import { Problem } from '../problem.ts'
import type { ProtectOptions } from './read-options.ts'

/** Certificate and key, as PEM. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Reads what `--tls-cert` and `--tls-key` name; files that cannot be used are one clear line. */
export function loadTls(files: ProtectOptions['tls']): TlsFiles | undefined {
  if (files === undefined) return undefined
  const { certFile, keyFile } = files
  const [cert, key] = [readFile('--tls-cert', certFile), readFile('--tls-key', keyFile)]
  checkPrivateKeyFile(keyFile)
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    throw new Problem(`${certFile} and ${keyFile} are not a certificate and its key: ${messageOf(error)}`)
  }
  return { cert, key }
}

function readFile(option: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Problem(`${option} ${file} cannot be read: ${messageOf(error)}`)
  }
}

/** A group may read it: that is how system services are given keys (the group ssl-cert, systemd's credentials). */
function checkPrivateKeyFile(file: string): void {
  if (process.platform === 'win32') return
  if ((statSync(file).mode & 0o007) !== 0)
    throw new Problem(`others can read ${file}. Put it right by: chmod o= ${file}`)
}
