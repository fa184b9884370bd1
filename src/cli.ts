#!/usr/bin/env node
import { carryOut } from './cli/command-line.ts'
import { nameSources } from './program/source-names.ts'
import { untilInterrupted } from './workers/interruption.ts'

nameSources()
// `pg` asks whether it runs at Cloudflare: by `navigator`, or where that is missing, as in Node 20, with a Response, for
// which Node loads all of `fetch`, 50 ms of each start. This is the navigator of Node 21.
const major = process.versions.node.split('.')[0]
if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { userAgent: `Node.js/${major}` } })

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
