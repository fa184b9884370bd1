import { reachedAt } from '../../alerts/delivery/alert-tests.ts'
import { localDay } from '../../format/clock-time.ts'
import { fail, type Item, pass } from '../item.ts'

const DAY_MS = 86_400_000
/** After this many days an address is tested again: people change phones and filters. */
const TEST_DAYS = 180

export const scoring: Item = {
  id: 'scoring',
  title: 'Scoring',
  question:
    'Is the model scored on schedule, with retries and a deadline, and does a failure reach every person on call?',
  async ask({ database, project, model, now }) {
    const { name } = model
    const link = `/models/${name}`
    const check = 'nightshift validate'
    const schedules = Object.values(project.schedules).filter(({ score }) => score.includes(name))
    const running = schedules.filter(({ paused }) => !paused)
    if (schedules.length === 0)
      return fail(`no schedule scores ${name}: add \`score: [${name}]\` to a file in schedules/`, check, link)
    if (running.length === 0)
      return fail(`every schedule of ${name} is paused (${names(schedules)})`, check, link)
    for (const schedule of running) {
      const where = `schedules/${schedule.name}.yaml`
      if (schedule.deadline === undefined)
        return fail(`${where} has no deadline: nobody is notified when a night is late`, check, link)
      if (schedule.retry.attempts < 2)
        return fail(`${where} gives a night one attempt: set retry.attempts to 2 or more`, check, link)
    }
    const people = [...new Set(model.on_call.map((each) => each.toLowerCase()))]
    if (people.length === 0)
      return fail(`nobody is on call for ${name}: add on_call to model.yaml`, check, link)
    const reached = await reachedAt(database.pool, people)
    const test = (address: string) => `nightshift alert test --to ${address}`
    const unreached = people.filter((each) => !reached.has(each))
    if (unreached.length > 0) {
      return fail(
        `${unreached.join(', ')} ${unreached.length === 1 ? 'has' : 'have'} not acknowledged a test mail`,
        test(unreached[0] ?? ''),
        link,
      )
    }
    const [oldest, at = ''] = [...reached].sort(([, a], [, b]) => Date.parse(a) - Date.parse(b))[0] ?? [
      '',
      '',
    ]
    const day = localDay(at, project.timezone)
    if (Date.parse(at) > now.getTime())
      return fail(`the acknowledgement of ${oldest} lies in the future (${day})`, test(oldest), link)
    if (now.getTime() - Date.parse(at) > TEST_DAYS * DAY_MS) {
      return fail(
        `${oldest} last acknowledged a test mail on ${day}, more than ${TEST_DAYS} days ago`,
        test(oldest),
        link,
      )
    }
    return pass(
      `${names(running)} scores ${name} with retries and a deadline; ${people.length} on call, each acknowledged a test mail (the oldest on ${day})`,
      link,
    )
  },
}

function names(schedules: { name: string }[]): string {
  return schedules.map(({ name }) => name).join(', ')
}
