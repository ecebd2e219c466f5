/** Loaded before a server under test: tells its parent, when asked, this process's processor time; ends with its parent. */
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
process.channel?.unref()
