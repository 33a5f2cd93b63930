import { writeFileSync } from 'node:fs'
import { messageOf } from '@warder/protocol'
import { bareUrl } from '../client/show-url.ts'
import { Problem } from '../problem.ts'
import { version } from '../version.ts'
import type { Finding } from './finding.ts'
import { redact } from './redact.ts'

/** What may be sent along with a report. Readable by the user alone until then; a file that is there is never replaced. */
export function writeBundle(file: string, server: string, findings: readonly Finding[]): void {
  const shown = bareUrl(server)
  // As it was written it may have blanks, by which a URL is told from the words around it.
  const clean = (text: string): string => redact(text.replaceAll(server, () => shown))
  const bundle = {
    warder: version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    at: new Date().toISOString(),
    server: shown,
    findings: findings.map(({ found, fix, ...rest }) => ({
      ...rest,
      found: clean(found),
      ...(fix !== undefined && { fix: clean(fix) }),
    })),
  }
  try {
    writeFileSync(file, `${JSON.stringify(bundle, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (isThere) throw new Problem(`${file} is there already. Name another file by --bundle.`, 2)
    throw new Problem(`${file} cannot be written: ${messageOf(error)}`)
  }
}
