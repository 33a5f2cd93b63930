import { openSync, readdirSync, readFileSync } from 'node:fs'
import { isOutOfFiles } from './is-out-of-files.ts'

const closeOnExec = 0o2000000

/**
 * The files that Warder got from whoever started it and that a child would get from Warder in turn: Node marks only those
 * with low numbers as its own. For each, what to put in its place: nothing at all. Empty where there is no /proc. Throws
 * while too many files are open to look: what is not seen would go to every child.
 */
export function coverInheritedFiles(): readonly (number | null)[] {
  const inherited = findInherited()
  const last = Math.max(2, ...inherited)
  if (last === 2) return []
  const nothing = openSync('/dev/null', 'r')
  return Array.from({ length: last - 2 }, (_, place) => (inherited.includes(place + 3) ? nothing : null))
}

function findInherited(): number[] {
  try {
    return readdirSync('/proc/self/fdinfo')
      .map(Number)
      .filter((file) => file > 2 && isInheritable(file))
  } catch (error) {
    if (isOutOfFiles(error)) throw error
    return []
  }
}

function isInheritable(file: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8')) ?? []
    return (Number.parseInt(flags, 8) & closeOnExec) === 0
  } catch (error) {
    if (isOutOfFiles(error)) throw error
    // It was the directory itself, closed by now.
    return false
  }
}
