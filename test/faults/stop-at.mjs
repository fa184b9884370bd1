// Loaded before a worker (--import): sends it a signal when an attempt reaches a step. `?plan=` names a folder with one
// file a run, `<run>.json` with { step, signal, attempts }; the file `<run>-a<n>.stopped` is written right before.
import { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import pg from 'pg'

const plan = new URL(import.meta.url).searchParams.get('plan') ?? ''
/** The attempt in hand: a worker with one place has one. */
let hand

function reach(step) {
  if (hand === undefined) return
  const file = join(plan, `${hand.run}.json`)
  if (!existsSync(file)) return
  const wanted = JSON.parse(readFileSync(file, 'utf8'))
  if (wanted.step !== step || hand.number > wanted.attempts) return
  const mark = join(plan, `${hand.run}-a${hand.number}.stopped`)
  if (existsSync(mark)) return
  writeFileSync(mark, JSON.stringify({ pid: process.pid, at: Date.now() }))
  process.kill(process.pid, wanted.signal)
}

const { query } = pg.Client.prototype
pg.Client.prototype.query = function (...given) {
  const [statement, values] = given
  const text = typeof statement === 'string' ? statement : statement?.text
  if (typeof text !== 'string') return query.apply(this, given)
  if (text.includes('insert into nightshift.attempts'))
    this.step = { claims: { run: values[0], number: values[1] } }
  // The planner of this process publishes for others, too.
  const own = text.startsWith('update nightshift.runs') && values?.[0] === hand?.run
  if (own && values[1] === 'publishing') this.step = { commits: true }
  if (own && values[1] === 'published') this.step = { publishes: true }
  if (text !== 'commit' || this.step === undefined) return query.apply(this, given)
  const { claims, commits, publishes } = this.step
  this.step = undefined
  if (commits) reach('before the commit')
  const answer = query.apply(this, given)
  if (commits) reach('while the commit runs')
  return answer.then((result) => {
    if (claims !== undefined) hand = claims
    if (claims !== undefined) reach('when it has claimed the attempt')
    if (publishes) reach('once it is recorded as published')
    return result
  })
}

// Each process that is forked gets a `send` of its own.
const { spawn } = ChildProcess.prototype
ChildProcess.prototype.spawn = function (options) {
  const spawned = spawn.call(this, options)
  const { send } = this
  if (send === undefined) return spawned
  this.send = (message, ...rest) => {
    const sent = send.call(this, message, ...rest)
    if (message?.task === 'features' || message?.task === 'scores') {
      setTimeout(() => reach('while it computes'), 20)
      const facts = (answer) => {
        if (answer.kind === 'progress') return
        this.off('message', facts)
        reach('when it has computed')
      }
      this.prependListener('message', facts)
    }
    return sent
  }
  return spawned
}

const { rename } = promises
promises.rename = async (from, to) => {
  const published = hand !== undefined && String(from).includes(`/.attempts/${hand.run}-a${hand.number}/`)
  if (published) reach('between commit and rename')
  await rename(from, to)
  if (published) reach('between rename and record')
}
syncBuiltinESMExports()
