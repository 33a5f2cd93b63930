import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const files = (...patterns: string[]): string[] => globSync(patterns, { cwd: root }).toSorted()
const manifests = files('packages/*/package.json', 'apps/*/package.json')

describe('who may import whom', () => {
  const mayUse: Readonly<Record<string, readonly string[]>> = {
    '@warder/protocol': [],
    '@warder/private-files': [],
    '@warder/host-config': [],
    '@warder/store': ['private-files'],
    '@warder/outbound': ['protocol'],
    '@warder/client': ['protocol', 'outbound', 'private-files'],
    '@warder/policy': ['protocol'],
    '@warder/guard': ['protocol', 'policy'],
    '@warder/authorization-server': ['protocol', 'policy', 'store', 'outbound'],
    '@warder/bridge': ['protocol'],
    '@warder/gateway': ['protocol', 'policy', 'guard', 'bridge'],
    warder: [
      ...['protocol', 'policy', 'store', 'outbound', 'guard', 'authorization-server', 'bridge', 'gateway'],
      ...['client', 'host-config', 'private-files'],
    ],
  }

  test.each(manifests)('%s depends on what it may and on nothing that it does not use', (file) => {
    const { name, dependencies = {} } = JSON.parse(read(file)) as {
      name: string
      dependencies?: Record<string, string>
    }
    const ours = Object.keys(dependencies).filter((dependency) => dependency.startsWith('@warder/'))
    const allowed = mayUse[name]?.map((room) => `@warder/${room}`) ?? []
    expect(ours.filter((dependency) => !allowed.includes(dependency))).toEqual([])

    const source = files(`${file.replace('/package.json', '')}/src/**/*.ts`)
      .map(read)
      .join('\n')
    const unused = Object.keys(dependencies).filter(
      (dependency) => !source.includes(`from '${dependency}`) && !source.includes(`import('${dependency}`),
    )
    expect(unused).toEqual([])
  })
})

describe('the documents', () => {
  const documents = files('*.md', 'docs/**/*.md', 'examples/**/*.md')

  test.each(documents)('every link of %s leads somewhere', (file) => {
    const links = [...read(file).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '')
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(root, file, '..', link)))
    expect(broken).toEqual([])
  })

  test('the architecture page names files that exist', () => {
    const named = [...read('docs/architecture.md').matchAll(/`((?:packages|apps)\/[\w./-]+\.ts)`/g)].map(
      (match) => match[1] ?? '',
    )
    const missing = named.filter((path) => !existsSync(join(root, path)))
    expect(missing).toEqual([])
    expect(named.length).toBeGreaterThan(5)
  })
})
