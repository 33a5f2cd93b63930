import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Call } from '../races/call.ts'
import type { Place } from '../races/racer.ts'

export interface Death {
  /** How many calls had been answered before the end. */
  readonly answered: number
  readonly isKilled: boolean
  /** Of a victim that survived: how many moments it had. */
  readonly moments: number
}

/**
 * Runs a victim to its end: it dies at its `moment`, or by our hand `killAfterMs` after it has opened the store, or not at all.
 */
export async function runVictim(options: {
  place: Place
  calls: readonly Call[]
  from?: 'opening' | 'calls'
  moment?: number
  killAfterMs?: number
}): Promise<Death> {
  const { place, calls, from = 'calls', moment = -1, killAfterMs } = options
  const child = spawn(
    process.execPath,
    [
      '--conditions=@warder/source',
      fileURLToPath(new URL('victim.ts', import.meta.url)),
      from,
      String(moment),
      JSON.stringify(calls),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, WARDER_TEST_PLACE: JSON.stringify(place) },
    },
  )
  let output = ''
  let isTimed = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (killAfterMs === undefined || isTimed || !output.startsWith('open\n')) return
    isTimed = true
    setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  })
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (...end) => resolve(end))
  })
  if (signal !== 'SIGKILL' && code !== 0)
    throw new Error(`the victim failed with ${code ?? signal}: ${output}`)
  return {
    answered: output.split('\n').filter((line) => line === 'done').length,
    isKilled: signal === 'SIGKILL',
    moments: Number(/survived (\d+) moments/.exec(output)?.[1] ?? 0),
  }
}
