import {
  type BrowserWay,
  browserWay,
  type DeviceCode,
  deviceWay,
  findBrowser,
  type Handoff,
  type SignInWay,
} from '@warder/client'
import type { Input, Option } from '../command.ts'
import { note } from '../output.ts'
import { Problem } from '../problem.ts'

/** How a person says yes. */
export const wayOptions: Readonly<Record<string, Option>> = {
  'no-browser': { says: 'Show the address, and take the answer by pasting it: for SSH and containers' },
  device: { says: 'Show a code that is typed in on another device' },
  'print-handoff': {
    says: 'Print the address as JSON, for a program that shows it to a person (exit code 3)',
  },
  wait: { says: 'With --print-handoff: wait for the answer instead of ending' },
  timeout: { value: 'SECONDS', says: 'How long a person may take (default: 600)' },
}

/** What a command line and its surroundings come to. `hand-off`: somebody else has to show the address to a person. */
export type Mode = 'browser' | 'show' | 'device' | 'wait' | 'hand-off'

/** The one way that was asked for; without one a browser here, else a terminal to paste in, else somebody else. */
export function readMode({ switches }: Pick<Input, 'switches'>, surroundings: Surroundings): Mode {
  const asked = ['no-browser', 'device', 'print-handoff'].filter((name) => switches.has(name))
  if (asked.length > 1) throw new Problem(`--${asked.join(' and --')} exclude each other.`, 2)
  if (switches.has('wait') && asked[0] !== 'print-handoff')
    throw new Problem('--wait needs --print-handoff.', 2)
  if (asked[0] === 'print-handoff') return switches.has('wait') ? 'wait' : 'hand-off'
  if (asked[0] === 'no-browser') return 'show'
  if (asked[0] === 'device') return asked[0]
  if (!('missing' in findBrowser(surroundings))) return 'browser'
  return surroundings.isTerminal ? 'show' : 'hand-off'
}

/** Where the command runs. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly platform: NodeJS.Platform
  /** Whether a person can be asked. */
  readonly isTerminal: boolean
}

export const surroundings = (): Surroundings => ({
  env: process.env,
  platform: process.platform,
  isTerminal: process.stdin.isTTY === true,
})

/** As long as a person may take unless `--timeout` says otherwise. */
export const tenMinutes = 600_000

/** `--timeout` in milliseconds. */
export function readTimeout({ options }: Pick<Input, 'options'>): number | undefined {
  const given = options['timeout']
  if (given === undefined) return undefined
  if (/^[1-9][0-9]{0,4}$/.test(given)) return Number(given) * 1000
  throw new Problem('--timeout is a number of seconds.', 2)
}

export interface PersonOptions {
  readonly callbackPort: number | undefined
  readonly timeoutMs: number | undefined
  /** Standard input has been read to its end for a secret. */
  readonly isInputUsed: boolean
  readonly handOff: (handoff: Handoff) => void
}

/** The way of a mode. */
export function makeWay(mode: Exclude<Mode, 'hand-off'>, options: PersonOptions): SignInWay {
  if (mode === 'device') return deviceWay({ show: showDeviceCode })
  return makeBrowserWay(mode, options)
}

/** The same for a browser, here or elsewhere. */
export function makeBrowserWay(
  mode: Exclude<Mode, 'device' | 'hand-off'>,
  { callbackPort, timeoutMs, isInputUsed, handOff }: PersonOptions,
): BrowserWay {
  return browserWay({
    ...surroundings(),
    say: note,
    callbackPort,
    timeoutMs,
    noBrowser: mode === 'show',
    ...(isInputUsed ? {} : { input: process.stdin }),
    ...(mode === 'wait' && { handOff }),
  })
}

/** All of it is checked by the way: visible ASCII, and an address that may be opened. */
function showDeviceCode({ userCode, verificationUri, verificationUriComplete }: DeviceCode): void {
  note(`Open ${verificationUri} on any device, and type this code there:\n\n  ${userCode}\n`)
  if (verificationUriComplete !== undefined)
    note(`Or open this address, which has the code in it: ${verificationUriComplete}`)
  note('Agree only if the page names the program and the account that you expect. Waiting for you.')
}
