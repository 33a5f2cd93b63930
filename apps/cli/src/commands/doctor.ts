import { readNetwork } from '@warder/outbound'
import { readProfile, signInOptions } from '../client/client-options.ts'
import { withClientProblems } from '../client/client-problem.ts'
import { findNamedServer } from '../client/find-named-server.ts'
import { explainCommand, loginCommand } from '../client/login-command.ts'
import { openCredentialStore } from '../client/open-store.ts'
import { bareUrl } from '../client/show-url.ts'
import type { Command } from '../command.ts'
import { examine } from '../doctor/examine.ts'
import { exitCodeOf } from '../doctor/exit-code.ts'
import type { Finding, Group, Outcome } from '../doctor/finding.ts'
import { redact, withoutQueries } from '../doctor/redact.ts'
import { writeBundle } from '../doctor/write-bundle.ts'
import { oneWord } from '../one-word.ts'
import { note, paint, plain, print } from '../output.ts'

const usage = 'doctor NAME|URL [--profile NAME] [--metadata-url URL] [--bundle FILE] [--json]'

export const doctor: Command = {
  usage,
  options: {
    ...signInOptions,
    'metadata-url': { value: 'URL', says: 'Metadata of the authorization server, if you know better' },
    bundle: { value: 'FILE', says: 'Write what was found to a file, without secrets, to send to somebody' },
    json: { says: 'Print one JSON object' },
  },
  examples: [
    'warder doctor https://mcp.example.com/mcp',
    'warder doctor tracker --bundle tracker.json',
    'warder doctor tracker --json | jq .findings',
  ],
  async run(input) {
    const word = oneWord(input, `say which server: warder ${usage}`)
    const target = await findNamedServer(input, word)
    const isJson = input.switches.has('json')
    const findings: Finding[] = []
    const tell = (finding: Finding): void => {
      findings.push(finding)
      if (!isJson) show(finding, findings.at(-2)?.group)
    }
    const examination = {
      server: target.server,
      login: loginCommand(word, input),
      explain: explainCommand(word, input),
      profile: readProfile(input),
      readNetwork: () => readNetwork(process.env),
      metadataUrl: input.options['metadata-url'] ?? target.metadataUrl,
      callbackPort: target.callbackPort,
      openStore: () => openCredentialStore(input.options['store'], { mayAsk: true }),
    }
    await withClientProblems(() => examine(examination, tell))
    const exitCode = exitCodeOf(findings)
    if (isJson)
      print(JSON.stringify({ server: bareUrl(target.server), exitCode, findings: findings.map(toJson) }))
    else print(`\n${summaries[exitCode] ?? ''}`)
    const bundle = input.options['bundle']
    if (bundle !== undefined) {
      writeBundle(bundle, target.server, findings)
      note(
        `Written to ${bundle}, without tokens, and of addresses without what stands behind ? or looks like a secret. Read it before you send it.`,
      )
    }
    return exitCode
  },
}

const summaries: Readonly<Record<number, string>> = {
  0: 'All is well.',
  1: 'Something is wrong; start with the first ✗.',
  3: 'All is well, but you are not signed in.',
  4: 'The server cannot be reached.',
}

const signs: Readonly<Record<Outcome, string>> = {
  good: paint('green', '✓'),
  note: paint('yellow', '•'),
  bad: paint('red', '✗'),
  skipped: paint('dim', '–'),
}

/** What is to be done stays as it is: it may be a command with the address as it was typed. */
function toJson(finding: Finding): Finding {
  return { ...finding, found: redact(finding.found) }
}

function show({ group, check, outcome, found, fix }: Finding, before: Group | undefined): void {
  if (group !== before) print(`${before === undefined ? '' : '\n'}${paint('bold', group)}`)
  print(`  ${signs[outcome]} ${check}: ${withoutQueries(found)}`)
  if (fix !== undefined) print(`      ${paint('cyan', '→')} ${plain(fix)}`)
}
