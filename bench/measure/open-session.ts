import { setTimeout as delay } from 'node:timers/promises'
import { request } from 'undici'
import { callHeaders } from './call-tools.ts'

const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1' },
}

/**
 * Opens a session of revision 2025-11-25 and lists the tools, trying again while nobody listens. Answers the headers for what
 * comes after. Throws where the list has no `echo`.
 */
export async function openSession(
  url: string,
  token: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const first = await post(url, { id: 1, method: 'initialize', params: initialize }, authorization)
  const session = first.session === undefined ? {} : { 'mcp-session-id': first.session }
  const headers = { ...authorization, ...session }
  await post(url, { method: 'notifications/initialized' }, headers)
  const list = await post(url, { id: 2, method: 'tools/list', params: {} }, headers)
  if (!list.text.includes('"echo"')) throw new Error(`${url}: no echo in ${list.text}`)
  return session
}

async function post(
  url: string,
  message: object,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly text: string; readonly session: string | undefined }> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message })
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await request(url, { method: 'POST', headers: { ...callHeaders, ...headers }, body })
      const text = await response.body.text()
      if (response.statusCode >= 300) throw new Error(`${url}: ${response.statusCode} ${text}`)
      const session = response.headers['mcp-session-id']
      return { text, session: typeof session === 'string' ? session : undefined }
    } catch (error) {
      const isDown = (error as { code?: unknown }).code === 'ECONNREFUSED'
      if (!isDown || tries === 2_000) throw error
      await delay(10)
    }
  }
}
