import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { citedNumbers } from './cited-numbers.ts'
import { type NegativeTest, negativeTests } from './negative-tests.ts'

const groups: Readonly<Record<string, string>> = {
  A: 'authorization endpoint',
  B: 'sign-in at other providers',
  C: 'token, revocation and introspection endpoints',
  D: 'dynamic client registration',
  E: 'client documents, and fetching them',
  F: 'login, consent and account pages',
  G: 'bearer tokens',
  H: 'keys, introspection, revocation',
  I: 'DPoP',
  J: 'token exchange',
  K: 'enterprise sign-in, client assertions',
  L: 'the HTTP door of the gateway',
  M: 'messages and what the policy sees',
  N: 'lists, streams, sessions, caches',
  O: 'the upstream side of the gateway',
  P: 'hosting of stdio servers',
  Q: 'client',
  R: 'tool definitions',
  S: 'admin API and console',
  T: 'decision log and other logs',
  U: 'abuse and limits',
  V: 'storage, crashes, time',
  W: 'packages',
}

/** The page of the documents: the groups with where their tests are, and what later parts must bring. */
export function negativeTestsPage(): string {
  const cited = citedNumbers()
  const inGroup = (letter: string): readonly NegativeTest[] =>
    negativeTests.filter(({ id }) => id.startsWith(letter))
  const overview = Object.entries(groups).map(([letter, what]) => {
    const all = inGroup(letter)
    const proved = all.filter(({ later, isPartly }) => later === undefined || isPartly)
    const places = new Set(all.flatMap(({ id }) => [...(cited.get(id) ?? [])]))
    const where = [...places]
      .toSorted()
      .map((place) => `\`${place}\``)
      .join(', ')
    return `| ${letter} | ${what} | ${all.length} | ${proved.length} | ${where === '' ? '–' : where} |`
  })
  const open = negativeTests.filter(({ later }) => later !== undefined)
  const missing = open.map(
    ({ id, severity, title, later, isPartly }) =>
      `| ${id} | ${severity} | ${title} | ${isPartly ? 'the rest: ' : ''}${later} |`,
  )
  const proved = negativeTests.filter(({ later, isPartly }) => later === undefined || isPartly).length
  return [
    '# Negative tests',
    '',
    'What attackers and bad peers try, numbered by group, and where a test shows that it fails. A test names the number in its title',
    '(`git grep C22 -- "*.test.ts"`) or is a row of the table in `test/hostile`, and has a positive twin: the same without the',
    'defect succeeds.',
    '',
    `${proved} of ${negativeTests.length} are proved as far as the features exist; the others wait for the part that brings what they attack.`,
    '',
    '`test/hostile` holds those that can be tried from outside as data: one table of steps and outcomes, run against `warder protect` as a',
    'real process, and against other products:',
    '',
    '```sh',
    'node --conditions=@warder/source test/hostile/run.ts --against warder',
    '```',
    '',
    'This page is made from `test/negative-tests.ts`, and a test compares the two:',
    '`node --conditions=@warder/source test/negative-tests-page.ts --write` makes it anew.',
    '',
    '## Groups',
    '',
    '| | what is attacked | numbers | proved | tests |',
    '| --- | --- | --- | --- | --- |',
    ...overview,
    '',
    '## What later parts must bring',
    '',
    '| | severity | what is tried | part |',
    '| --- | --- | --- | --- |',
    ...missing,
    '',
  ].join('\n')
}

export const negativeTestsFile: string = join(import.meta.dirname, '..', 'docs', 'negative-tests.md')

if (process.argv[1] === import.meta.filename && process.argv.includes('--write')) {
  writeFileSync(negativeTestsFile, negativeTestsPage())
}
