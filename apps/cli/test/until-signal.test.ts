import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'

const source = pathToFileURL(join(import.meta.dirname, '../src/protect/until-signal.ts')).href

const spawnOptions = { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' } as const

/** Gets these signals, one after the other, and says whether it came to its end or was broken off. */
const program = (...signals: NodeJS.Signals[]): readonly string[] => [
  '--input-type=module',
  '-e',
  `import { untilSignal } from '${source}'
   process.on('exit', (code) => console.log('exit ' + code))
   const end = untilSignal()
   const alive = setInterval(() => {}, 1000)
   for (const signal of ${JSON.stringify(signals).replaceAll('"', "'")}) process.kill(process.pid, signal)
   await end
   await new Promise(setImmediate)
   clearInterval(alive)`,
]

const run = (...signals: NodeJS.Signals[]): string =>
  spawnSync(process.execPath, program(...signals), spawnOptions).stdout.trim()

const runInTerminal = (...signals: NodeJS.Signals[]): string => {
  const words = [process.execPath, ...program(...signals)].map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  return spawnSync('script', ['-qec', words.join(' '), '/dev/null'], spawnOptions).stdout.trim()
}

describe.runIf(process.platform === 'linux')('what ends warder protect', () => {
  test('one signal ends it in order, a second one at once', () => {
    expect(run('SIGTERM')).toBe('exit 0')
    expect(run('SIGINT')).toBe('exit 0')
    expect(run('SIGTERM', 'SIGTERM')).toBe('exit 130')
  })

  test('the end of its terminal does, and where it has none, as behind nohup, that of another does not', () => {
    expect(runInTerminal('SIGHUP')).toBe('exit 0')
    expect(runInTerminal('SIGHUP', 'SIGTERM')).toBe('exit 130')
    expect(run('SIGHUP', 'SIGTERM')).toBe('exit 0')
  })
})
