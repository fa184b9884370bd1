import { existsSync, renameSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalChildren } from '../children.ts'
import { ACTIVITY, path, VALUE, write } from '../failing-project.ts'
import type { Ground } from '../ground.ts'
import type { Scene } from '../scene.ts'

const SCHEDULE = 'schedules/nightly.yaml'
const DEADLINE = 'deadline: "06:00"'
const DAY = 24 * 60

/** A schedule of which this night is the first; the scheduler has seen it before the night is due. */
async function scheduled(ground: Ground, night: string, what: string): Promise<void> {
  await write(ground, SCHEDULE, `schedule: nightly\ncron: "0 2 * * *"\nstart: "${night}"\n${what}\n`)
  await ground.life.until(`${night}T01:00:00Z`, DAY)
}
const unscheduled = (ground: Ground) => rmSync(path(ground, SCHEDULE), { force: true })
const tick = (ground: Ground, night: string) => ground.life.until(`${night}T02:01:00Z`, DAY)
const deadline = (ground: Ground, night: string) => ground.life.until(`${night}T06:01:00Z`, DAY)

/** Played while no worker is alive. */
export const IDLE_SCENES: Scene[] = [
  {
    kind: 'deadline',
    cause: 'no worker has taken it',
    subject: ACTIVITY,
    async make(ground, night) {
      await scheduled(ground, night, `refresh: [activity]\n${DEADLINE}`)
      await tick(ground, night)
      await deadline(ground, night)
    },
    leave: unscheduled,
  },
  {
    kind: 'deadline',
    cause: 'it has not started',
    subject: VALUE,
    async make(ground, night) {
      // Its features are queued.
      await scheduled(ground, night, `score: [value]\n${DEADLINE}`)
      await tick(ground, night)
      await deadline(ground, night)
    },
    leave: unscheduled,
  },
]

export const DEADLINE_SCENES: Scene[] = [
  {
    kind: 'deadline',
    cause: 'it waits for data',
    subject: ACTIVITY,
    async make(ground, night) {
      renameSync(path(ground, 'data/events'), path(ground, 'data/elsewhere'))
      // Of scores: it is told of their features, which wait.
      await scheduled(ground, night, `score: [value]\nretry: { wait_for_data: 8h }\n${DEADLINE}`)
      await tick(ground, night)
      await deadline(ground, night)
    },
    mend(ground) {
      if (existsSync(path(ground, 'data/elsewhere')))
        renameSync(path(ground, 'data/elsewhere'), path(ground, 'data/events'))
    },
    leave: unscheduled,
  },
  {
    kind: 'deadline',
    cause: 'it is still running',
    subject: ACTIVITY,
    says: { show: /attempt 1, .*, running/ },
    async make(ground, night) {
      // So that there is a compute process, which is stopped in the middle of the next night.
      await ground.ask(ACTIVITY, '2026-04-01')
      if (signalChildren('SIGSTOP') === 0) throw new Error('there is no compute process')
      await scheduled(ground, night, `refresh: [activity]\n${DEADLINE}`)
      const ticked = tick(ground, night)
      while ((await ground.state(ACTIVITY, night)) !== 'running') await sleep(25)
      ground.life.leaveRunning((await ground.life.slot('features', 'activity', night))?.run ?? '')
      await ticked
      await deadline(ground, night)
    },
    mend: () => void signalChildren('SIGCONT'),
    leave: unscheduled,
  },
  {
    kind: 'given-up',
    cause: 'catch_up skipped the night',
    subject: ACTIVITY,
    nights: 2,
    isClosed: true,
    async make(ground, night) {
      await scheduled(ground, night, 'refresh: [activity]\ncatch_up: { policy: latest }')
      // Nothing plans until the next night is due.
      const next = new Date(Date.parse(night) + 26.5 * 3_600_000)
      await ground.life.until(next.toISOString(), 3 * DAY)
    },
    leave: unscheduled,
  },
]
