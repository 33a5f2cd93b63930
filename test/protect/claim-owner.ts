import { join } from 'node:path'
import { runInTerminal } from '../e2e/warder-process.ts'

export interface Owner {
  readonly email: string
  readonly password: string
}

/** Becomes the owner of a running Warder, by a fresh owner link. */
export async function claimOwner(directory: string, owner: Owner): Promise<void> {
  const shown = await runInTerminal(directory, ['owner-link', '--data', join(directory, 'data')])
  const link = /https?:\/\/\S+\/owner\/\S+/.exec(shown)?.[0]
  if (link === undefined) throw new Error(`no owner link: ${shown}`)
  await claimByLink(link, owner)
}

/** Becomes the owner by a link. */
export async function claimByLink(link: string, { email, password }: Owner): Promise<void> {
  const page = await (await fetch(link)).text()
  const token = /name="form_token"[^>]*value="([^"]*)"/.exec(page)?.[1] ?? ''
  const answer = await fetch(link, {
    method: 'POST',
    headers: { origin: new URL(link).origin },
    body: new URLSearchParams({ form_token: token, email, password, password_again: password }),
  })
  if (!answer.ok) throw new Error(`not the owner: ${answer.status}`)
}
