import { readServerEntry, readTokens, type ServerEntry, serverName, tokenName } from '@warder/client'
import { clientExitCodes } from '../client/client-exit-codes.ts'
import { readProfile, signInOptions } from '../client/client-options.ts'
import { withClientProblems } from '../client/client-problem.ts'
import { type ExplainedToken, explainToken, tokenRows } from '../client/explain-token.ts'
import { findNamedServer } from '../client/find-named-server.ts'
import { loginCommand } from '../client/login-command.ts'
import { openCredentialStore } from '../client/open-store.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { plain, print, table } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'

export const tokenExplain: Command = {
  usage: 'token explain (NAME|URL|-) [--profile NAME] [--host HOST] [--store KIND] [--json]',
  options: { ...signInOptions, json: { says: 'Print it as JSON' } },
  examples: [
    'warder token explain notes',
    'warder token explain https://notes.example.com/mcp --json',
    'warder token explain - < token-file',
  ],
  run: (input) =>
    withClientProblems(async () => {
      const word = oneWord(
        input,
        'say which token: warder token explain notes, or - for one from standard input',
      )
      const now = Date.now() / 1000
      const { token, entry } =
        word === '-' ? { token: await readGiven(), entry: undefined } : await readKept(input, word)
      const explained = explainToken(token, { now, issuer: entry?.issuer, resource: entry?.resource })
      if (input.switches.has('json')) print(JSON.stringify(asJson(explained, entry)))
      else print(inWords(explained, entry, now))
      return explained.problems.length === 0 ? 0 : 1
    }),
}

async function readGiven(): Promise<string> {
  const token = (await readPassword('Access token (it is not shown): ')).trim().replace(/^bearer +/i, '')
  if (token === '') throw new Problem('there is no token on standard input.', 2)
  return token
}

/** The token as it is stored: an old one is not refreshed here, since it is the one to be explained. */
async function readKept(input: Input, word: string): Promise<{ token: string; entry: ServerEntry }> {
  const { server } = await findNamedServer(input, word, 'look')
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  const entry = await readServerEntry(store, serverName({ server, profile: readProfile(input) }))
  const tokens = entry && (await readTokens(store, tokenName(entry)))
  if (entry !== undefined && tokens !== undefined) return { token: tokens.accessToken, entry }
  throw new Problem(
    `you are not signed in to ${plain(server)}. Sign in by: ${loginCommand(word, input)}`,
    clientExitCodes.signInRequired,
  )
}

function inWords(explained: ExplainedToken, entry: ServerEntry | undefined, now: number): string {
  const { problems, remarks, form } = explained
  const fits = entry !== undefined && form === 'jwt' && problems.length === 0
  return [
    entry === undefined
      ? 'This access token says of itself:'
      : `The access token for ${plain(entry.server)} says of itself:`,
    table(tokenRows(explained, now)),
    ...problems.map((problem) => `The server will refuse it: ${plain(problem)}`),
    ...remarks.map((remark) => `Note: ${plain(remark)}`),
    ...(fits ? ['It fits the server: the right issuer, the right resource, and not ended.'] : []),
    'Nothing of this was verified: only the server can say whether the token still counts.',
  ].join('\n')
}

function asJson(explained: ExplainedToken, entry: ServerEntry | undefined): object {
  const { form, issuer, audience, expiresAt, issuedAt, scopes, subject, clientId, problems, remarks } =
    explained
  const moment = (at: number | undefined): string | undefined =>
    at === undefined ? undefined : new Date(at * 1000).toISOString()
  return {
    server: entry?.server,
    form,
    iss: issuer,
    aud: audience,
    exp: moment(expiresAt),
    iat: moment(issuedAt),
    scope: scopes,
    sub: subject,
    client_id: clientId,
    problems,
    remarks,
    verified: false,
  }
}
