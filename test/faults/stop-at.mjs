// Loaded before a worker (--import): sends it a signal when an attempt reaches a step. `?plan=` names a folder with one
// file a run, `<run>.json` with { step, signal, attempts }; the file `<run>-a<n>.stopped` is written right before.
import { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'

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

/** Prototypes of clients of PostgreSQL: the program has its own copy of `pg` in its bundle. */
const known = new WeakSet()
const { init } = EventEmitter
EventEmitter.init = function (...given) {
  const prototype = Object.getPrototypeOf(this)
  if (typeof prototype?.escapeLiteral === 'function' && !known.has(prototype)) {
    known.add(prototype)
    prototype.query = watching(prototype.query)
  }
  return init.apply(this, given)
}

function watching(query) {
  return function (...given) {
    return watched.call(this, query, given)
  }
}

function watched(query, given) {
  const [statement, values] = given
  const text = typeof statement === 'string' ? statement : statement?.text
  if (typeof text !== 'string') return query.apply(this, given)
  if (text.includes('insert into nightshift.attempts'))
    this.step = { claims: { run: values[0], number: values[1] } }
  if (text.includes('insert into nightshift.splits')) this.step = { splits: true }
  if (/update nightshift.shards\s+set state = 'running'/.test(text))
    this.step = { takes: { run: values[0], number: values[1] } }
  if (text.includes('set joining_at')) this.step = { joins: { run: values[0], number: values[1] } }
  const answer = given.at(-1)
  if (text.includes("update nightshift.shards set state = 'done'") && typeof answer === 'function')
    given[given.length - 1] = (...result) => {
      reach('once its part is recorded')
      answer(...result)
    }
  // The planner of this process publishes for others, too.
  const own = text.startsWith('update nightshift.runs') && values?.[0] === hand?.run
  if (own && values[1] === 'publishing') this.step = { commits: true }
  if (own && values[1] === 'published') this.step = { publishes: true }
  if (text !== 'commit' || this.step === undefined) return query.apply(this, given)
  const { claims, commits, publishes, splits, takes, joins } = this.step
  this.step = undefined
  if (commits) reach('before the commit')
  const answered = query.apply(this, given)
  if (commits) reach('while the commit runs')
  return answered.then((result) => {
    if (claims !== undefined) hand = claims
    if (claims !== undefined) reach('when it has claimed the attempt')
    if (publishes) reach('once it is recorded as published')
    if (splits) reach('when it has split the attempt')
    hand = takes ?? joins ?? hand
    if (takes !== undefined) reach('when it has claimed a shard')
    if (joins !== undefined) reach('when it has claimed the join')
    return result
  })
}

const COMPUTES = {
  features: ['while it computes', 'when it has computed'],
  scores: ['while it computes', 'when it has computed'],
  shard: ['while it scores a shard', 'when it has scored a shard'],
  'feature-shard': ['while it scores a shard', 'when it has scored a shard'],
  'feature-join': ['while it joins the shards', 'when it has joined the shards'],
  join: ['while it joins the shards', 'when it has joined the shards'],
}

// Each process that is forked gets a `send` of its own.
const { spawn } = ChildProcess.prototype
ChildProcess.prototype.spawn = function (options) {
  const spawned = spawn.call(this, options)
  const { send } = this
  if (send === undefined) return spawned
  this.send = (message, ...rest) => {
    const sent = send.call(this, message, ...rest)
    const [during, after] = COMPUTES[message?.task] ?? []
    if (during !== undefined) {
      setTimeout(() => reach(during), 20)
      const facts = (answer) => {
        if (answer.kind === 'progress') return
        this.off('message', facts)
        reach(after)
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
