// Loaded into every measured process before its program: answers each message with the CPU time that the process has used so
// far, in microseconds, or with the bytes of memory that it holds.
process.on('message', (wanted) => {
  const { user, system } = process.cpuUsage()
  process.send?.(wanted === 'memory' ? process.memoryUsage.rss() : user + system)
})
// The program decides when it ends; but never later than the bench.
process.channel?.unref()
process.on('disconnect', () => process.exit())
