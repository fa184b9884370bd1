import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AS_OF, benchProject } from './data.ts'
import { MARK, watchMemory } from './memory.ts'
import { cli, field, openNightshift } from './nightshift.ts'

/**
 * One night and its parity check in a worker with `memory:`: the peak of all processes together, and what each attempt
 * used. Nothing is timed: watching takes processor time.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      customers: { type: 'string', default: '1000000' },
      memory: { type: 'string', default: '5GB' },
    },
  })
  const folder = fileURLToPath(new URL('../.nightshift/bench', import.meta.url))
  const project = await benchProject(folder, Number(values.customers))
  appendFileSync(join(project.root, 'nightshift.yaml'), `memory: ${values.memory}\n`)
  const mark = `peak-${process.pid}`
  const env = { ...process.env, [MARK]: mark }
  const peak = watchMemory(mark)
  const night = await openNightshift(project, mark)
  try {
    for (const name of ['activity', 'scored']) {
      const list = await cli(project, env, 'runs', name, '--limit', '1', '--json')
      const run = String(field(Array.isArray(list) ? list[0] : undefined, 'run'))
      const shown = await checked(() => cli(project, env, 'show', run, '--json'), name === 'activity')
      const tries = field(shown, 'tries')
      const usage = field(Array.isArray(tries) ? tries.at(-1) : undefined, 'usage')
      const parity = field(shown, 'parity')
      const found = JSON.stringify(field(parity, 'failure') ?? { parity_values: field(parity, 'values') })
      console.log(
        `${name} ${AS_OF}: ${String(field(shown, 'rows'))} rows, ${JSON.stringify(usage)}, ${found}`,
      )
    }
  } finally {
    await night.close()
    console.log(`peak of all processes with memory: ${values.memory}: ${Math.round((await peak()) ?? 0)} MB`)
  }
}

/** The record of a run, once its parity check has an answer where one is awaited. */
async function checked(show: () => Promise<unknown>, awaited: boolean): Promise<unknown> {
  for (;;) {
    const shown = await show()
    if (!awaited || field(shown, 'parity') !== null) return shown
    await sleep(2000)
  }
}

await main()
