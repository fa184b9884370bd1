import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ACTIVITY, QUERY, write } from './failing-project.ts'
import type { Ground } from './ground.ts'

/** Counts for minutes, if nobody ends it. */
const ENDLESS = `SELECT e.customer_id, count(*)::FLOAT AS spend, count(*)::FLOAT AS orders
FROM events e, events f, events g, events h, events i, events j, events k, events l GROUP BY e.customer_id
`

/** Ends the compute children while a night that takes forever is computed. */
export async function killed(ground: Ground, night: string, signal: 'SIGKILL' | 'SIGUSR2'): Promise<void> {
  await write(ground, QUERY, ENDLESS)
  let over = false
  const asked = ground.ask(ACTIVITY, night).finally(() => {
    over = true
  })
  while (!over) {
    await sleep(100)
    if ((await ground.state(ACTIVITY, night)) !== 'running') continue
    await sleep(300)
    signalChildren(signal)
  }
  await asked
}

/** Sends a signal to the compute children of this process. @returns how many there are */
export function signalChildren(signal: NodeJS.Signals): number {
  const { stdout } = spawnSync('pgrep', ['-P', String(process.pid), '-f', 'child'], { encoding: 'utf8' })
  const pids = stdout.split('\n').filter((line) => line !== '')
  for (const pid of pids) {
    try {
      process.kill(Number(pid), signal)
    } catch {
      // It has ended by itself.
    }
  }
  return pids.length
}
