import { createOutbound } from '@warder/outbound'
import type { Command } from '../command.ts'
import { databaseOption } from '../database.ts'
import { checkEnvironment } from '../protect/check-environment.ts'
import { readProtectOptions } from '../protect/read-options.ts'
import { startProtecting } from '../protect/start-protecting.ts'

export const protect: Command = {
  usage: 'protect [OPTIONS] [--url URL | -- COMMAND ARG…]',
  options: {
    url: { value: 'URL', says: 'HTTP address of the MCP server to protect' },
    name: {
      value: 'NAME',
      says: 'Only this server of the policy file; for a new one, its name (default: from the command or URL)',
    },
    port: { value: 'PORT', says: 'Port to listen on (default: 8765; 0 picks a free one)' },
    host: { value: 'HOST', says: 'Address to listen on (default: 127.0.0.1, with ::1)' },
    'public-url': { value: 'URL', says: 'https address under which clients reach this server' },
    'trust-proxy': { says: 'A proxy that speaks TLS stands in front: believe its X-Forwarded-For' },
    'tls-cert': { value: 'FILE', says: 'Speak TLS with this certificate (PEM, with its chain)' },
    'tls-key': { value: 'FILE', says: 'The private key of --tls-cert (PEM); other users must not read it' },
    issuer: { value: 'URL', says: 'Another authorization server that issues the tokens; ours stays off' },
    owner: {
      value: 'SUBJECT',
      says: 'With --issuer: the user (sub) whom a new policy file gives everything',
    },
    data: {
      value: 'DIR',
      says: 'State directory (default: in the user’s state directory, by the first server’s name)',
    },
    database: databaseOption,
    'secret-file': {
      value: 'FILE',
      says: 'The 32 bytes that all nodes of a database share (default: secret, in the state directory)',
    },
    policy: { value: 'FILE', says: 'Policy file; written at the first start (default: warder.yaml)' },
    share: { says: 'One process of a command for all users, instead of one for each' },
    sandbox: { says: 'Run commands without network, with an empty home and a read-only system (bubblewrap)' },
    json: { says: 'Print the first screen as one JSON object' },
  },
  examples: [
    'warder protect',
    'warder protect -- npx -y some-mcp-server --some-flag',
    'warder protect --url http://127.0.0.1:3001/mcp --name notes',
    'warder protect --public-url https://mcp.example.com -- uvx some-server',
    'warder protect --host 0.0.0.0 --public-url https://mcp.example.com:8765 --tls-cert cert.pem --tls-key key.pem',
    'warder protect --database postgres://warder@db.example.com/warder?sslmode=verify-full --secret-file secret --public-url https://mcp.example.com --trust-proxy',
    'warder protect --issuer https://login.example.com --owner 00u1abc -- npx -y some-server',
  ],
  async run(input) {
    checkEnvironment(process.env)
    return startProtecting(readProtectOptions(input), {
      createFetch: (ownOrigins) => createOutbound({ ownOrigins }),
    })
  },
}
