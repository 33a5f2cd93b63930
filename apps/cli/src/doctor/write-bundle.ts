import { writeFileSync } from 'node:fs'
import { Problem } from '../problem.ts'
import { version } from '../version.ts'
import type { Finding } from './finding.ts'

/** Anything that could be a credential: JWTs, and long texts without spaces that are no address. */
const credential = /\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<![\w./:-])[A-Za-z0-9_-]{40,}(?![\w./-])/g

/** In URLs: user information, query and fragment can hold secrets; scheme, host and path say what is needed. */
const urlSecrets = /(\bhttps?:\/\/)(?:[^\s/@]*@)?([^\s?#]*)(?:[?#][^\s)]*)?/g

/** A text that may be sent to somebody else. */
export function redact(text: string): string {
  return text.replace(urlSecrets, '$1$2').replace(credential, '…')
}

/** What may be sent along with a report. Readable by the user alone until then; a file that is there is never replaced. */
export function writeBundle(file: string, server: string, findings: readonly Finding[]): void {
  const bundle = {
    warder: version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    at: new Date().toISOString(),
    server: redact(server),
    findings: findings.map(({ found, fix, ...rest }) => ({
      ...rest,
      found: redact(found),
      ...(fix !== undefined && { fix: redact(fix) }),
    })),
  }
  try {
    writeFileSync(file, `${JSON.stringify(bundle, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (isThere) throw new Problem(`${file} is there already. Name another file by --bundle.`, 2)
    throw new Problem(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
