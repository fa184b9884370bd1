import { Temporal } from 'temporal-polyfill'
import type * as z from 'zod'
import { choice, count, cronOf, duration, flag, keys, list, name, text, zone } from './fields.ts'

const drillCron = (drill: string, does: string) =>
  cronOf(`drills.${drill}`).optional().describe(`When ${does}, such as "0 10 1 * *".`)

const start = text('a date such as 2026-11-22 or an instant such as 2026-11-22T02:00:00Z').refine(
  (given) => isDate(given) || isInstant(given),
  { error: 'a date such as 2026-11-22 or an instant such as 2026-11-22T02:00:00Z' },
)

export const scheduleSchema = keys({
  schedule: name().describe('Name of the schedule: the name of its file.'),
  cron: cronOf('cron').describe(
    'When it ticks: minute, hour, day of month, month, weekday. If both day of month and weekday are given, either matches.',
  ),
  timezone: zone()
    .optional()
    .describe(
      'Zone of the cron and the deadline. Default: that of the project. It moves the tick only; as-ofs are in the zone of the project.',
    ),
  grain: choice(['day', 'hour'])
    .prefault('day')
    .describe('The as-of of a tick is the start of the day, or of the hour, that contains it.'),
  score: list(name(), 'models', { min: 1 })
    .optional()
    .describe('Models to score. The view of each is refreshed first, once.'),
  refresh: list(name(), 'views', { min: 1 }).optional().describe('Views to refresh without scoring a model.'),
  timeout: duration().prefault('1h').describe('Longest time of one attempt. After it the process is killed.'),
  catch_up: keys({
    policy: choice(['all', 'latest', 'none'])
      .prefault('all')
      .describe('Which of the missed nights run after the scheduler restarts.'),
    max: count({ min: 1 }).prefault(7).describe('The largest number of missed nights that run.'),
  })
    .prefault({})
    .describe('What happens to nights missed while the scheduler was down.'),
  deadline: text('a time such as "06:00"')
    .optional()
    .describe(
      'When readers need it: the first such time after the tick (`+20m` after it, for hours). After it on-call is mailed; the night still runs.',
    ),
  retry: keys({
    attempts: count({ min: 1, max: 100 })
      .prefault(3)
      .describe('Attempts in total, for failures that may be temporary.'),
    backoff: duration({ zero: true })
      .prefault('30s')
      .describe('Pause before the second attempt. It doubles with each further one.'),
    wait_for_data: duration({ zero: true })
      .prefault('0s')
      .describe('How long after the tick to wait for sources that are not fresh.'),
  })
    .prefault({})
    .describe('Retries before on-call is mailed.'),
  drills: keys({
    rollback: drillCron('rollback', 'the champion is rolled back and forth in a copy'),
    failure: drillCron('failure', 'a compute process is killed in a copy'),
    alert: drillCron('alert', 'everybody on call is mailed and has to answer'),
    drift: drillCron('drift', 'a copy lives through shifted nights'),
  })
    .prefault({})
    .describe(
      'Drills of the models that it scores, each with a cron of its own in the zone of the schedule. They wait while a night runs.',
    ),
  start: start
    .optional()
    .describe('No night before this is expected. Default: when the scheduler first sees the schedule.'),
  paused: flag().prefault(false).describe('The nights of a paused schedule are skipped.'),
}).describe('A schedule: when which models are scored or views refreshed.')

export type ScheduleFile = z.output<typeof scheduleSchema>

function isDate(given: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(given) &&
    succeeds(() => Temporal.PlainDate.from(given, { overflow: 'reject' }))
  )
}

function isInstant(given: string): boolean {
  return succeeds(() => Temporal.Instant.from(given))
}

function succeeds(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}
