import { duration } from '../../format/elapsed.ts'
import { findRun } from '../../ledger/nights/run-records.ts'
import type { Children } from '../../workers/child/children.ts'
import { endOf } from '../simulation/simulate.ts'
import { type DrillRequest, type DrillResult, failed } from './drill.ts'
import { drillNights, inLife, nightOf } from './life-of-drill.ts'

/**
 * Kills the compute process while it scores the newest night in a copy. The figure is the time until another attempt has
 * published that night: what the ledger's clock waited, and what the work took.
 */
export async function failureDrill(request: DrillRequest): Promise<DrillResult> {
  const { version, say } = request
  const nights = await drillNights(request, 1)
  const killed: { at?: number } = {}
  const tamper = (children: Children) => killingOnce(children, killed)
  return inLife(request, 'failure', { nights, champions: [version.version], tamper }, async (copy) => {
    say(`version ${version.version} scores ${nights[0]?.label} in a copy, and its process is killed`)
    /** By the ledger's clock, which stands still while work is done. */
    let struck: number | undefined
    let seconds: number | undefined
    await copy.life.through({
      until: endOf(nights, copy.project.timezone),
      onTime: async (now) => {
        if (killed.at !== undefined) struck ??= now.getTime()
        if (struck === undefined || killed.at === undefined) return false
        if ((await nightOf(copy)).state !== 'published') return false
        seconds = (now.getTime() - struck + performance.now() - killed.at) / 1000
        return true
      },
    })
    const slot = await nightOf(copy)
    if (killed.at === undefined)
      return failed(`nothing was scored as of ${slot.partition}: ${slot.reason ?? slot.state}`)
    if (slot.published_run === null || seconds === undefined)
      return failed(
        `the compute process was killed as of ${slot.partition}, and the night was not published: ${slot.reason ?? slot.state}`,
      )
    const run = await findRun(copy.database.pool, slot.published_run)
    if (run === undefined || run.attempt < 2)
      return failed(`the attempt that was killed published ${slot.partition}`)
    return {
      passed: true,
      seconds,
      note: `the compute process was killed while it scored ${slot.partition}; attempt ${run.attempt} published ${run.rows} rows ${duration(seconds * 1000)} later`,
    }
  })
}

/** The first child that scores is killed in the middle of it. */
function killingOnce(children: Children, killed: { at?: number }): Children {
  return {
    ...children,
    run(task, request, options = {}) {
      if (task !== 'scores' || killed.at !== undefined) return children.run(task, request, options)
      return children.run(task, request, {
        ...options,
        onChild: (pid) => {
          if (killed.at !== undefined) return
          killed.at = performance.now()
          process.kill(pid, 'SIGKILL')
        },
      })
    },
  }
}
