import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canTrace, injectFaults } from './inject.ts'
import { openStage, type Stage } from './stage.ts'

/** A running server whose disk can be full. */
export interface FullDiskStage {
  readonly stage: Stage
  /** No more byte fits; answers how to make room again. */
  fill(): Promise<() => Promise<void>>
  close(): Promise<void>
}

/** One way to a full disk. */
export interface FullDisk {
  readonly name: string
  readonly isPossible: boolean
  open(): Promise<FullDiskStage>
}

/** A file system of its own, and a file that takes the rest of it. Only root may mount one. */
const fileSystem: FullDisk = {
  name: 'a file system without room',
  isPossible: tryMount(),
  async open() {
    const place = mkdtempSync(join(tmpdir(), 'warder-disk-'))
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs', place])
    const stage = await openStage({ data: place })
    const ballast = join(place, 'ballast')
    return {
      stage,
      async fill() {
        for (let size = 1 << 20; size >= 1; size = size === 4096 ? 1 : size / 2) {
          try {
            for (;;) writeFileSync(ballast, Buffer.alloc(size), { flag: 'a', mode: 0o600 })
          } catch {
            // Full for this size.
          }
        }
        return async () => rmSync(ballast)
      },
      async close() {
        await stage.close()
        spawnSync('umount', [place])
        rmdirSync(place)
      },
    }
  },
}

/** The kernel lets the process write no file longer than nothing: EFBIG, for anybody's own processes. */
const fileSizeLimit: FullDisk = {
  name: 'a limit on the size of files',
  isPossible: spawnSync('prlimit', ['--version']).status === 0,
  async open() {
    const stage = await openStage()
    const limit = (value: string): void => {
      const { pid } = stage.warder
      const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${value}:unlimited`])
      if (status !== 0) throw new Error(`prlimit: ${stderr}`)
    }
    return {
      stage,
      async fill() {
        limit('0')
        return async () => limit('unlimited')
      },
      close: () => stage.close(),
    }
  },
}

const writing = ['pwrite64', 'write', 'fsync', 'fdatasync'] as const

/** Every write to the database and the log fails with this error. */
const injected = (does: 'ENOSPC' | 'EIO' | 'EROFS'): FullDisk => ({
  name: `${does} at every write`,
  isPossible: canTrace(),
  async open() {
    const stage = await openStage()
    return {
      stage,
      async fill() {
        const { database, logFile } = stage
        const files = ['', '-wal', '-shm'].map((suffix) => database + suffix)
        const faults = writing.map((syscall) => ({ syscall, does }))
        const injection = await injectFaults(stage.warder.pid, [...files, logFile], faults)
        return async () => void (await injection.lift())
      },
      close: () => stage.close(),
    }
  },
})

export const fullDisks: readonly FullDisk[] = [
  fileSystem,
  fileSizeLimit,
  injected('ENOSPC'),
  injected('EIO'),
  injected('EROFS'),
]

function tryMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'warder-mount-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place])
  if (status === 0) spawnSync('umount', [place])
  rmdirSync(place)
  return status === 0
}
