// One process of many: signs in where it must, and calls the server once. Arguments: the server, the directory of the store.
import { createClient, dangerouslyOpenPlainFile } from '@warder/client'
import { openTestBrowser } from './rig/test-browser.ts'

const [server = '', directory = ''] = process.argv.slice(2)
const client = createClient({
  server,
  store: dangerouslyOpenPlainFile({ directory }),
  way: openTestBrowser(),
})
const response = await client.fetch(server, { method: 'POST', body: '{}' })
process.stdout.write(String(response.status))
client.close()
