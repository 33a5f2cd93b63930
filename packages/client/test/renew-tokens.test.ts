import { SignInRequired } from '@warder/client'
import { createUserFetch } from '@warder/outbound'
import { expect, onTestFinished, test } from 'vitest'
import { type Rig, startRig } from './rig/start-rig.ts'

const post = { method: 'POST', body: '{}' }
const grants = (rig: Rig): readonly (string | null)[] =>
  rig.as.at('/token').map(({ form }) => form.get('grant_type'))

test('a refresh after a 401 looks for the metadata where the user named it at the sign-in', async () => {
  const rig = await startRig({ as: { metadataPath: '/odd/place.json' } })
  await rig.client({ metadataUrl: `${rig.as.origin}/odd/place.json` }).signIn()
  rig.as.tokens.clear()
  expect((await rig.client().fetch(rig.mcp.url, post)).status).toBe(200)
  expect(grants(rig)).toEqual(['authorization_code', 'refresh_token'])
  await rig.client().signOut()
  await expect(rig.client().signIn()).rejects.toThrow('server-metadata')
})

/** A fetch whose caller goes away as soon as the server has answered. */
function startLeaving(): {
  readonly signal: AbortSignal
  readonly userFetch: ReturnType<typeof createUserFetch>
} {
  const gone = new AbortController()
  const userFetch = createUserFetch()
  return {
    signal: gone.signal,
    async userFetch(url, init) {
      const response = await userFetch(url, { ...init, signal: undefined })
      gone.abort(new Error('the caller is gone'))
      return response
    },
  }
}

test('for a caller that is gone when the 401 comes, nobody signs in', async () => {
  const rig = await startRig()
  const { signal, userFetch } = startLeaving()
  await expect(rig.client({ userFetch }).fetch(rig.mcp.url, { ...post, signal })).rejects.toThrow(
    'the caller is gone',
  )
  expect((await rig.client({ profile: 'another' }).fetch(rig.mcp.url, post)).status).toBe(200)
  expect([rig.browser.visited.length, rig.as.at('/token').length]).toEqual([1, 1])
})

test('and no error is left that nobody listens to, which would end the process', async () => {
  const unheard: unknown[] = []
  const hear = (error: unknown): void => void unheard.push(error)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const rig = await startRig()
  const way = { kind: 'none', reason: 'a test' } as const
  const { signal, userFetch } = startLeaving()
  await expect(rig.client({ way, userFetch }).fetch(rig.mcp.url, { ...post, signal })).rejects.toThrow(
    'the caller is gone',
  )
  // The same without an end: by the time that this error is heard, the other would have been, too.
  await expect(rig.client({ way }).fetch(rig.mcp.url, post)).rejects.toThrow(SignInRequired)
  expect(unheard).toEqual([])
})
