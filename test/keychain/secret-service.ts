import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A D-Bus session of its own, in a home of its own; what is started ends with it. */
export interface Session extends AsyncDisposable {
  /** What a program in this session has in its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  /** Starts the Secret Service (gnome-keyring); with a password its keyring is made or unlocked, without it stays as it is. */
  startService(password?: string): Promise<{ stop(): Promise<void> }>
}

const configuration = (socket: string, connections: number): string => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <limit name="max_connections_per_user">${connections}</limit>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>`

/** Starts the bus (no program is started by it on demand), with room for so many connections. Debian: dbus, gnome-keyring; when they are missing this throws. */
export async function startSession({ connections = 256 } = {}): Promise<Session> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-keychain-'))
  const runtime = join(directory, 'run')
  for (const folder of [runtime, join(directory, 'data'), join(directory, 'state')]) {
    mkdirSync(folder, { mode: 0o700 })
  }
  const socket = join(runtime, 'bus')
  writeFileSync(join(directory, 'bus.conf'), configuration(socket, connections))
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    XDG_DATA_HOME: join(directory, 'data'),
    XDG_STATE_HOME: join(directory, 'state'),
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${socket}`,
  }
  const children: ChildProcess[] = []
  const start = async (command: string, args: string[], input?: string): Promise<ChildProcess> => {
    const child = spawn(command, args, { env, stdio: ['pipe', 'ignore', 'ignore'] })
    children.push(child)
    await once(child, 'spawn').catch(() => {
      throw new Error(`${command} is missing: apt-get install dbus gnome-keyring libsecret-tools`)
    })
    // One that does not read has ended meanwhile, or wants nothing.
    child.stdin?.on('error', () => {}).end(input ?? '')
    return child
  }
  await start('dbus-daemon', [`--config-file=${join(directory, 'bus.conf')}`, '--nofork', '--nopidfile'])
  await until(async () => existsSync(socket))
  return {
    env,
    directory,
    async startService(password) {
      const args = ['--foreground', '--components=secrets', `--control-directory=${join(runtime, 'keyring')}`]
      const unlock = password === undefined ? [] : ['--unlock']
      const service = await start('gnome-keyring-daemon', [...args, ...unlock], password)
      await until(async () => await isOnBus(env))
      return { stop: async () => end(service) }
    },
    async [Symbol.asyncDispose]() {
      for (const child of children.reverse()) await end(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A bus that takes connections and says nothing. */
export async function startSilentBus(): Promise<{ readonly address: string } & AsyncDisposable> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-silent-'))
  const socket = join(directory, 'bus')
  const server = createServer((connection) => connection.on('error', () => {}).resume())
  await new Promise<void>((done) => server.listen(socket, done))
  return {
    address: `unix:path=${socket}`,
    async [Symbol.asyncDispose]() {
      server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Runs a program of the session to its end. */
export async function run(
  session: Session,
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(command, args, { env: session.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
  const [code] = await once(child, 'close')
  return { code, output }
}

async function isOnBus(env: Readonly<Record<string, string>>): Promise<boolean> {
  const ask = ['--session', '--dest=org.freedesktop.DBus', '--print-reply', '/org/freedesktop/DBus']
  const method = ['org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets']
  const child = spawn('dbus-send', [...ask, ...method], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  await once(child, 'close')
  return output.includes('boolean true')
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 50) {
    if (await holds()) return
    await delay(50)
  }
  throw new Error('the session did not start')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}
