// Says what stands behind the open files of a child.
import { createStdioHost } from '@warder/bridge'
import { toRefusal } from '@warder/protocol'

const script = 'for file in /proc/$$/fd/*; do echo "$file $(readlink "$file")" >&2; done'
const host = createStdioHost({ command: ['/bin/sh', '-c', script], env: {} })
await host.inspect().catch((error: unknown) => process.stdout.write(String(toRefusal(error).notes.detail)))
await host.close()
