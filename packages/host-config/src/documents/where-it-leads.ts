import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'

/** As many links as Linux follows. */
const mostLinks = 40

/** The file itself behind all links, also where it is not there yet: what a program that writes `file` would make. */
export function whereItLeads(file: string): string {
  return follow(file, mostLinks)
}

function follow(file: string, links: number): string {
  try {
    return realpathSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(file) === file) throw error
  }
  const parent = follow(dirname(file), links)
  const target = join(parent, basename(file))
  if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target
  if (links === 0) throw new Error(`${file} is a link that leads in a circle`)
  return follow(resolve(parent, readlinkSync(target)), links - 1)
}

/** Whether links lead from `file` out of a directory. */
export function leadsOut(file: string, directory: string): boolean {
  const target = whereItLeads(file)
  const path = relative(realpathSync(directory), target)
  return path === '..' || path.startsWith(`..${sep}`) || dirname(target) === target
}
