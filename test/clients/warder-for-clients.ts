import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { samplePolicy } from '../e2e/sample-policy.ts'
import { everything, runInTerminal, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { openBrowser } from '../protect/scripted-sign-in.ts'

export const email = 'owner@example.com'
export const password = 'canary-password-of-the-owner'

/** One Warder in front of the sample server, and its owner, who follows authorization URLs without a browser. */
export interface WarderForClients extends WarderProcess {
  readonly directory: string
  /** Opens an authorization URL, signs in, allows, and takes the answer to the client. */
  follow(url: URL, switchOn?: readonly string[]): Promise<void>
  /** The same without taking the answer to the client: where it would go. */
  answerTo(url: URL, switchOn?: readonly string[]): Promise<URL>
  end(): Promise<void>
}

const stdio = `run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}, stdio]`

/** Starts it with a claimed owner; the upstream is a line of the policy file, the sample server over stdio by default. */
export async function startWarderForClients(upstream: string = stdio): Promise<WarderForClients> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-clients-'))
  writeFileSync(join(directory, 'warder.yaml'), samplePolicy(upstream))
  const warder = await startWarder({ directory, args: ['--port', '0'] })

  await becomeOwner(warder, directory).catch(async (error) => {
    await warder.stop()
    throw error
  })

  const answerTo: WarderForClients['answerTo'] = async (url, switchOn = []) => {
    const browser = openBrowser(warder.issuer)
    const login = await browser.get(url.href)
    const consent = await browser.submit(login, { email, password })
    const end = await browser.submit(consent, { decision: 'allow' }, switchOn)
    return new URL(end.url)
  }

  return {
    ...warder,
    directory,
    answerTo,
    async follow(url, switchOn) {
      const callback = await fetch(await answerTo(url, switchOn))
      if (!callback.ok) throw new Error(`the client answered ${callback.status} to its callback`)
    },
    async end() {
      await warder.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function becomeOwner({ issuer }: WarderProcess, directory: string): Promise<void> {
  const said = await runInTerminal(directory, ['owner-link', '--data', join(directory, 'data')])
  const link = /http:\/\/\S+\/owner\/\S+/.exec(said)?.[0]
  if (link === undefined) throw new Error(`no owner link: ${said}`)
  const browser = openBrowser(issuer)
  await browser.submit(await browser.get(link), { email, password, password_again: password })
}
