import type { CommandEntry } from './command.ts'

/** Every command, in the order of the help. The code of one is loaded when it is run, so that each starts fast. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'protect',
    summary: 'Puts OAuth in front of MCP servers',
    load: async () => (await import('./commands/protect.ts')).protect,
  },
  {
    name: 'setup',
    summary: 'Shows how to connect an MCP client',
    load: async () => (await import('./commands/setup.ts')).setup,
  },
  {
    name: 'prove',
    summary: 'Tries what a stranger could try at an MCP server, or what somebody with a token could try here',
    load: async () => (await import('./commands/prove.ts')).prove,
  },
  {
    name: 'doctor',
    summary: 'Finds out why a server cannot be reached or signed in to, and says what to do',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'hostile',
    summary: 'Plays dishonest MCP and authorization servers, to try a client on',
    load: async () => (await import('./commands/hostile.ts')).hostile,
  },
  {
    name: 'connect',
    summary: 'Shows a remote MCP server to a host that starts its servers as commands',
    load: async () => (await import('./commands/connect.ts')).connect,
  },
  {
    name: 'login',
    summary: 'Signs you in to a protected MCP server',
    load: async () => (await import('./commands/login.ts')).login,
  },
  {
    name: 'logout',
    summary: 'Revokes and deletes what a sign-in has left',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  {
    name: 'status',
    summary: 'Shows where you are signed in, and what for',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'token explain',
    summary: 'Says in words who issued an access token, for what, and until when',
    load: async () => (await import('./commands/token-explain.ts')).tokenExplain,
  },
  {
    name: 'add',
    summary: 'Adds an MCP server to a list: Warder’s own or that of a host',
    load: async () => (await import('./commands/add.ts')).add,
  },
  {
    name: 'list',
    summary: 'Lists the MCP servers of all hosts, and what becomes of each',
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'get',
    summary: 'Shows which server a name stands for, and why',
    load: async () => (await import('./commands/get.ts')).get,
  },
  {
    name: 'remove',
    summary: 'Takes an MCP server out of a list',
    load: async () => (await import('./commands/remove.ts')).remove,
  },
  {
    name: 'import',
    summary: 'Takes servers from the list of one host into that of another',
    load: async () => (await import('./commands/import.ts')).importCommand,
  },
  {
    name: 'export',
    summary: 'Prints servers in the words of a host, to paste there',
    load: async () => (await import('./commands/export.ts')).exportCommand,
  },
  {
    name: 'user list',
    summary: 'Lists the users',
    load: async () => (await import('./commands/user-list.ts')).userList,
  },
  {
    name: 'user add',
    summary: 'Adds a user who may sign in',
    load: async () => (await import('./commands/user-add.ts')).userAdd,
  },
  {
    name: 'user reset',
    summary: 'Sets a new password and ends everything that the user has open',
    load: async () => (await import('./commands/user-reset.ts')).userReset,
  },
  {
    name: 'user disable',
    summary: 'Ends all access of a user, at once',
    load: async () => (await import('./commands/user-disable.ts')).userDisable,
  },
  {
    name: 'user enable',
    summary: 'Lets a disabled user sign in again',
    load: async () => (await import('./commands/user-disable.ts')).userEnable,
  },
  {
    name: 'client list',
    summary: 'Lists the MCP clients that have asked for access',
    load: async () => (await import('./commands/client-list.ts')).clientList,
  },
  {
    name: 'client revoke',
    summary: 'Ends all access of a client, at once',
    load: async () => (await import('./commands/client-revoke.ts')).clientRevoke,
  },
  {
    name: 'grant list',
    summary: 'Lists who lets which client do what',
    load: async () => (await import('./commands/grant-list.ts')).grantList,
  },
  {
    name: 'grant revoke',
    summary: 'Ends one grant, or all of them, at once',
    load: async () => (await import('./commands/grant-revoke.ts')).grantRevoke,
  },
  {
    name: 'owner-link',
    summary: 'Prints a new owner link, for a server that nobody owns yet',
    load: async () => (await import('./commands/owner-link.ts')).ownerLink,
  },
  {
    name: 'log tail',
    summary: 'Shows who called what, and what was decided',
    load: async () => (await import('./commands/log-tail.ts')).logTail,
  },
  {
    name: 'log verify',
    summary: 'Proves that nobody has changed the log',
    load: async () => (await import('./commands/log-verify.ts')).logVerify,
  },
  {
    name: 'log digest',
    summary: 'Prints what stands for a request body in the log',
    load: async () => (await import('./commands/log-digest.ts')).logDigest,
  },
  {
    name: 'policy check',
    summary: 'Checks a policy file and shows all its mistakes',
    load: async () => (await import('./commands/policy-check.ts')).policyCheck,
  },
  {
    name: 'policy show',
    summary: 'Shows who may do what, as a table',
    load: async () => (await import('./commands/policy-show.ts')).policyShow,
  },
  {
    name: 'policy explain',
    summary: 'Says what the policy decides about a call, and why',
    load: async () => (await import('./commands/policy-explain.ts')).policyExplain,
  },
  {
    name: 'policy schema',
    summary: 'Prints the JSON schema of the policy file, for editors',
    load: async () => (await import('./commands/policy-schema.ts')).policySchemaCommand,
  },
  {
    name: 'completion',
    summary: 'Prints a script that completes warder’s words in a shell',
    load: async () => (await import('./commands/completion.ts')).completionOf(commands),
  },
]
