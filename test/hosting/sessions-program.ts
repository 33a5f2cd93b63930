// Lives through two thousand sessions and says how much memory each half of them has left behind.
import { createStdioHost } from '@warder/bridge'
import { ask, openSession } from './ask-host.ts'

const usersInThousand = 10
const maxChildren = 4
const collect = globalThis.gc
if (collect === undefined) throw new Error('run with --expose-gc')

let running = 0
let most = 0
const host = createStdioHost({
  command: process.argv.slice(2),
  env: {},
  maxChildren,
  log: ({ event }) => {
    if (event === 'child.ready') most = Math.max(most, ++running)
    if (event === 'child.exit') running -= 1
  },
})

/** Every second session is ended as it should be; the others are abandoned. */
async function live(session: number, owner: string): Promise<void> {
  const id = await openSession(host, owner)
  const { status } = await ask(host, owner, 'tools/list', {}, id)
  if (status !== 200) throw new Error(`tools/list: ${status}`)
  if (session % 2 === 1) return
  const signal = new AbortController().signal
  await host.handle({ httpMethod: 'DELETE', owner, clientId: 'client', headers: { sessionId: id }, signal })
}

/** Users come one after the other, each for a while, and one is there all the time; so children come and go as well. */
async function liveSessions(count: number): Promise<number> {
  for (let session = 0; session < count; session++) {
    const owner = session % 4 < 2 ? 'always' : `user-${Math.floor((session * usersInThousand) / 1000)}`
    await live(session, owner)
  }
  collect?.()
  await new Promise((resolve) => setTimeout(resolve, 50))
  collect?.()
  return process.memoryUsage().heapUsed
}

await liveSessions(200)
const first = await liveSessions(1000)
const second = await liveSessions(1000)
const atEnd = running
await host.close()
process.stdout.write(JSON.stringify({ first, second, most, atEnd, left: running }))
