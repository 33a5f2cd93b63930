import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'warder-proof-'
const staleMs = 10 * 60_000

/** Makes a temporary directory that only this user can read, and deletes what proofs that were killed have left behind. */
export async function makeProofDirectory(): Promise<string> {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) if (name.startsWith(prefix)) await deleteIfStale(join(tmpdir(), name))
  // mkdtemp makes it 0700.
  return mkdtemp(join(tmpdir(), prefix))
}

/** Only a directory of this user that no proof works in any more; a link is not followed. */
async function deleteIfStale(path: string): Promise<void> {
  try {
    const stat = await lstat(path)
    const isOurs = stat.isDirectory() && (process.getuid === undefined || stat.uid === process.getuid())
    if (isOurs && stat.mtimeMs < Date.now() - staleMs) await rm(path, { recursive: true, force: true })
  } catch {
    // Somebody else deletes it just now, or may not be disturbed: it harms nobody.
  }
}
