// Loaded before a program (--import): writes each sync and each rename into the file that `?log=` names, in order.
import { appendFileSync, readlinkSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'

const log = new URL(import.meta.url).searchParams.get('log') ?? ''
const say = (...words) => appendFileSync(log, `${JSON.stringify(words)}\n`)

const handle = await promises.open(fileURLToPath(import.meta.url))
const prototype = Object.getPrototypeOf(handle)
await handle.close()
const { sync } = prototype
prototype.sync = async function () {
  await sync.call(this)
  say('sync', readlinkSync(`/proc/self/fd/${this.fd}`))
}
const { rename } = promises
promises.rename = async (from, to) => {
  await rename(from, to)
  say('rename', String(from), String(to))
}
syncBuiltinESMExports()
