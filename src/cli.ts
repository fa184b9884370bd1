#!/usr/bin/env node
import { carryOut } from './cli/command-line.ts'
import { untilInterrupted } from './workers/interruption.ts'

// The reader of our output may stop early, as `| head` does. That is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

process.exitCode = await carryOut(
  process.argv.slice(2),
  untilInterrupted((code) => process.exit(code)),
)
// Wait until a slow reader has received everything. Exit even if a handle still keeps the process alive.
await new Promise<void>((flushed) => process.stdout.write('', () => flushed()))
process.exit()
