import { execFileSync } from 'node:child_process'

const fileLine = /^\+\+\+ b\/(.+)$/
const hunkLine = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/

/**
 * The lines of files (paths or git's patterns, below `root`) that differ from a revision, as Stryker takes them: `file:first-last`, lines
 * from 1. Throws with git's words where there is no such revision.
 */
export function changedLines(files: readonly string[], revision: string, root: string): readonly string[] {
  const args = ['diff', '--unified=0', '--no-color', '--no-ext-diff', '--end-of-options', revision, '--']
  const diff = execFileSync('git', [...args, ...files], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 })
  let file = ''
  return diff.split('\n').flatMap((line) => {
    file = fileLine.exec(line)?.[1] ?? file
    const [, first, count = '1'] = hunkLine.exec(line) ?? []
    // Where lines were only taken out, none is left to break.
    if (first === undefined || count === '0') return []
    return [`${file}:${first}-${Number(first) + Number(count) - 1}`]
  })
}
