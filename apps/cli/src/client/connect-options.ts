import type { Option } from '../command.ts'
import { mcpRemoteOptions } from './connect-arguments.ts'
import { grantOptions, keyOptions } from './way-choice.ts'

/** The options of `warder connect`, those of mcp-remote among them. */
export const connectOptions: Readonly<Record<string, Option>> = {
  header: {
    value: '"NAME: VALUE"',
    short: 'H',
    many: true,
    says: 'Send this header too; variables of the environment are put in',
  },
  'allow-tool': { value: 'GLOB', many: true, says: 'Only tools that one of these fits' },
  'deny-tool': { value: 'GLOB', many: true, says: 'No tools that one of these fits' },
  'no-browser': { says: 'Show the address of a sign-in instead of opening a browser' },
  wait: { says: 'Stay although nobody can sign in here, and say where to in answers to calls' },
  timeout: { value: 'SECONDS', says: 'How long a person may take to sign in (default: 600)' },
  profile: { value: 'NAME', says: 'One of several accounts at this server (default: default)' },
  store: {
    value: 'KIND',
    says: 'Where credentials are kept, as for warder login',
    among: ['keychain', 'encrypted-file', 'memory', 'dangerously-plain-file'],
  },
  host: { value: 'HOST', says: 'The program whose list of servers has the name' },
  scope: { value: '"A B"', says: 'Ask for these scopes and no others' },
  'client-id': {
    value: 'ID',
    says: 'A client that you have registered yourself (secret: MCP_CLIENT_SECRET)',
  },
  device: { says: 'Sign in with a code that is typed in on another device' },
  ...withoutInput(grantOptions),
  ...keyOptions,
  'callback-port': { value: 'PORT', says: 'Get the answer of a sign-in at http://localhost:PORT/callback' },
  resource: { value: 'URL', says: 'Send this as resource' },
  'no-resource': { says: 'Send no resource' },
  'metadata-url': { value: 'URL', says: 'Where the metadata of the authorization server is' },
  debug: { says: 'Say on standard error what is going on, as lines of JSON' },
  ...mcpRemoteOptions,
}

/** Standard input belongs to the host. */
function withoutInput({
  'idp-client-secret-stdin': _,
  ...options
}: Readonly<Record<string, Option>>): Readonly<Record<string, Option>> {
  return options
}
