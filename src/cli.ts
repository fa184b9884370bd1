#!/usr/bin/env node
import { loadProgram } from './program/compiled-program.ts'

// The reader of our output may stop early, as `| head` does. That is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

const args = process.argv.slice(2)
const [, run = 'other'] = /^(?:--)?([a-z]+(?:-[a-z]+)*)$/.exec(args[0] ?? '') ?? []
const { exports, keepCode } = loadProgram(run)
const { carryOut, untilInterrupted } = exports as typeof import('./cli/command-line.ts')

const code = await carryOut(
  args,
  untilInterrupted((exit) => process.exit(exit)),
)
process.exitCode = code
// Wait until a slow reader has received everything. Exit even if a handle still keeps the process alive.
await new Promise<void>((flushed) => process.stdout.write('', () => flushed()))
// 2 is a wrong call, whose first word may be any.
if (code === 0 || code === 1) keepCode()
process.exit()
