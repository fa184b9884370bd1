// Carries out commands of the bundled program one after the other: to start Node and load the program takes longer than
// most of them. Each gets the environment that a process of its own would have; what it prints goes through the same pipes.
const { carryOut } = await import(process.argv[2])

process.on('message', async ({ args, env, end }) => {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  const code = await carryOut(args)
  process.stdout.write(end)
  process.stderr.write(end)
  process.send({ code })
})
process.on('disconnect', () => process.exit())
process.send({ ready: true })
