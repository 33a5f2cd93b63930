import type { Host } from '../server-config.ts'

/** The fields in which a host's entry names the only tools that it lets through, and those that it does not. */
export const toolKeys: Readonly<Partial<Record<Host, readonly [only: string, without: string]>>> = {
  warder: ['includeTools', 'excludeTools'],
  codex: ['enabled_tools', 'disabled_tools'],
  gemini: ['includeTools', 'excludeTools'],
}
