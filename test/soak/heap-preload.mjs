// Loaded into Warder before everything else: tells every few seconds how much memory is in use, after a collection.
import { renameSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
const file = process.env.WARDER_SOAK_MEMORY
setInterval(() => {
  collect()
  writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()))
  renameSync(`${file}.new`, file)
}, 5_000).unref()
