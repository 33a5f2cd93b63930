import { RegistrationNeeded, SignInRequired, StoreUnavailable, TokenEndpointError } from '@warder/client'
import { Refusal, refusals } from '@warder/protocol'
import { describe, expect, test } from 'vitest'
import { withClientProblems } from '../../src/client/client-problem.ts'
import { Problem } from '../../src/problem.ts'

async function problemOf(error: unknown): Promise<Problem> {
  const problem = await withClientProblems(async () => {
    throw error
  }).catch((thrown: unknown) => thrown)
  expect(problem).toBeInstanceOf(Problem)
  return problem as Problem
}

describe('what a client met, in words', () => {
  test.each(Object.keys(refusals) as (keyof typeof refusals)[])('%s', async (reason) => {
    const { message, exitCode } = await problemOf(new Refusal(reason, { detail: 'the detail' }))
    if (reason.startsWith('outbound.'))
      expect([exitCode, message]).toEqual([4, expect.stringContaining('To do: ')])
    else {
      expect([exitCode, message]).toEqual([1, expect.stringContaining(refusals[reason].says)])
      expect(message).toContain('In detail: the detail.')
    }
    expect(message).not.toContain('undefined')
  })

  test('Q27 nothing in it gets at the terminal', async () => {
    const evil = 'a\u001b]0;owned\u0007b\u202ec'
    for (const error of [
      new Refusal('callback.refused', { detail: evil }),
      new TokenEndpointError({ error: 'invalid_grant', status: 400, transient: false, description: evil }),
      new SignInRequired({ server: evil, reason: evil }),
      new StoreUnavailable('locked', `${evil}\nand more`),
    ]) {
      const { message } = await problemOf(error)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(message).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
      expect(message).toContain('bc')
    }
  })

  test('a sign-in that is needed has an exit code of its own', async () => {
    const required = new SignInRequired({ server: 'https://a.example/mcp', reason: 'nobody is here' })
    expect(await problemOf(required)).toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('nobody is here'),
    })
  })

  test('where no client can register, the command that helps is shown', async () => {
    const needed = new RegistrationNeeded({
      server: 'https://a.example/mcp',
      issuer: 'https://as.example',
      redirectUris: ['http://localhost:8976/callback'],
      documentation: undefined,
    })
    const { message } = await problemOf(needed)
    expect(message).toContain('warder login https://a.example/mcp --client-id ID')
    expect(message).toContain('http://localhost:8976/callback')
  })

  test('trouble that passes is told from trouble that stays', async () => {
    const failed = (transient: boolean) => problemOf(new TokenEndpointError({ status: 503, transient }))
    expect((await failed(true)).message).toContain('try again later')
    expect((await failed(false)).message).not.toContain('try again later')
  })

  test('a mistake of ours stays one', async () => {
    const mistake = new TypeError('ours')
    await expect(withClientProblems(() => Promise.reject(mistake))).rejects.toBe(mistake)
  })
})
