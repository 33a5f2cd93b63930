import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Purpose, userDirectory } from '@warder/private-files'
import { expect, test } from 'vitest'

const [linuxHome, macHome] = ['/home/u', '/Users/u']
const own = join(userInfo().homedir, '.local/state/warder')

test.each<readonly [NodeJS.Platform, Purpose, Record<string, string>, string]>([
  ['linux', 'state', { HOME: linuxHome }, '/home/u/.local/state/warder'],
  ['linux', 'state', { HOME: linuxHome, XDG_STATE_HOME: '/s' }, '/s/warder'],
  ['linux', 'cache', { HOME: linuxHome }, '/home/u/.cache/warder'],
  ['linux', 'cache', { HOME: linuxHome, XDG_CACHE_HOME: '/c', XDG_STATE_HOME: '/s' }, '/c/warder'],
  ['darwin', 'state', { HOME: macHome, XDG_STATE_HOME: '/s' }, '/Users/u/Library/Application Support/warder'],
  ['darwin', 'cache', { HOME: macHome, XDG_CACHE_HOME: '/c' }, '/Users/u/Library/Caches/warder'],
  ['win32', 'state', { LOCALAPPDATA: '/local' }, '/local/warder'],
  ['win32', 'cache', { LOCALAPPDATA: '/local' }, '/local/warder/cache'],
  ['win32', 'state', {}, join(homedir(), 'AppData/Local/warder')],
])('on %s the %s directory with %j is %s', (platform, purpose, env, directory) => {
  expect(userDirectory(purpose, env, platform)).toBe(directory)
})

test.each<readonly [NodeJS.Platform, Purpose, Record<string, string>, string]>([
  ['linux', 'state', { HOME: linuxHome, XDG_STATE_HOME: '' }, '/home/u/.local/state/warder'],
  ['linux', 'state', { HOME: linuxHome, XDG_STATE_HOME: 'state' }, '/home/u/.local/state/warder'],
  ['linux', 'cache', { HOME: linuxHome, XDG_CACHE_HOME: '' }, '/home/u/.cache/warder'],
  ['linux', 'cache', { HOME: linuxHome, XDG_CACHE_HOME: './cache' }, '/home/u/.cache/warder'],
  ['linux', 'state', { HOME: '' }, own],
  ['linux', 'state', { HOME: 'home' }, own],
  ['win32', 'state', { LOCALAPPDATA: '' }, join(homedir(), 'AppData/Local/warder')],
])(
  'nothing leads into the work tree: on %s the %s directory with %j is %s',
  (platform, purpose, env, directory) => {
    expect(userDirectory(purpose, env, platform)).toBe(directory)
  },
)
