import { html } from 'hono/html'
import type { ScheduledDrill } from '../../../actions/operations/scheduled-drills.ts'
import { nextTicks } from '../../../project/time/cron.ts'
import { DRILLS, type Drill } from '../../../readiness/drills/drill-record.ts'
import { moment } from '../../moment.ts'
import { stateMark } from '../../state-mark.ts'
import { column, labelled, table } from '../../table.ts'

/** The newest drill of each kind, and when schedules repeat them. */
export function drillsSection(
  drills: Drill[],
  timezone: string,
  planned: { scheduled: ScheduledDrill[]; now: Date } | undefined = undefined,
) {
  const newest = DRILLS.flatMap((kind) => drills.find((each) => each.kind === kind) ?? [])
  const rows = table('The newest drill of each kind', newest, [
    column('Drill', ({ kind }: Drill) => kind),
    column('Result', ({ passed }) =>
      stateMark(passed ? 'published' : 'failed', passed ? 'passed' : 'failed'),
    ),
    labelled('Version', ({ version }) => version),
    labelled('When', ({ at, by }) => html`${moment(at, timezone)}${by === null ? '' : ` by ${by}`}`),
    column('What happened', ({ note }) => note),
  ])
  return html`<section class="card" aria-labelledby="drills"><h2 id="drills">Drills</h2>${
    newest.length === 0 ? html`<p class="quiet">None.</p>` : rows
  }${planned === undefined ? '' : next(planned.scheduled, planned.now, timezone)}</section>`
}

function next(scheduled: ScheduledDrill[], now: Date, timezone: string) {
  if (scheduled.length === 0)
    return html`<p class="small quiet">No schedule repeats them: <code>drills: { rollback: "0 10 1 */2 *" }</code> in a file in schedules/</p>`
  return html`<p class="small quiet">Next: ${scheduled.map(({ schedule, drill, cron }, index) => {
    const [tick] = nextTicks({ cron, timezone: schedule.timezone }, now.toISOString(), 1)
    return html`${index === 0 ? '' : ', '}${drill} ${moment(tick, timezone)} (schedule ${schedule.name})`
  })}</p>`
}
