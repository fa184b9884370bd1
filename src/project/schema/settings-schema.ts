import type * as z from 'zod'
import { baseUrl, choice, duration, keys, mail, name, named, text, url, zone } from './fields.ts'

const alerts = keys({
  from: mail().describe('The address that mails come from.'),
  base_url: baseUrl().describe(
    'Where `nightshift web` is reached from outside: links in mails begin with it.',
  ),
  repeat: duration().prefault('4h').describe('An open incident is mailed again after this long.'),
  group: duration({ zero: true })
    .prefault('30s')
    .describe('Incidents that open within this window go out as one mail for each address.'),
}).describe('Mails about failures, lateness and drift. Without `SMTP_URL` they land in .nightshift/outbox/.')

const timeouts = keys({
  checks: duration()
    .prefault('2m')
    .describe('Reading a model file, describing SQL, trying a model on some rows, finding stale nights.'),
  monitors: duration()
    .prefault('30m')
    .describe('One look at a published night: shadow, parity, drift, outcomes. Nights never wait for it.'),
  datasets: duration().prefault('6h').describe('One training set, evaluation, search for leaks or replay.'),
}).describe(
  'How long work outside the attempts of a night may take; those have the timeout of their schedule.',
)

export const settingsSchema = keys({
  project: name().describe('Name of the project. It is part of queue names, mail threads and file metadata.'),
  timezone: zone().describe(
    'IANA zone in which the business has its days. An as-of 2026-11-22 is the midnight that begins that day here, and all timestamps in features.sql read in it.',
  ),
  warehouse: text('a folder')
    .prefault('warehouse')
    .describe(
      'Folder of published features and scores, relative to this file. All workers must see the same one.',
    ),
  alerts: alerts.optional(),
  people: named(
    mail(),
    choice(['approver', 'operator', 'viewer']),
    'a map from mail address to approver, operator or viewer',
  )
    .prefault({})
    .describe(
      'Who may do what. Where given, `--by` must name one of them: an operator retries, releases and skips, an approver also promotes.',
    ),
  timeouts: timeouts.prefault({}),
  heartbeat: url()
    .optional()
    .describe(
      'Fetched after each healthy look at the calendar and each published night: a service that misses it tells you that everything is down.',
    ),
}).describe('nightshift.yaml: what holds for the whole project.')

export type Settings = z.output<typeof settingsSchema>
