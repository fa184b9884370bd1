import * as z from 'zod'
import { USUAL_AMOUNT, USUAL_CACHE } from '../amount.ts'
import { isObjectPath, warehouseFault } from '../object-path.ts'
import {
  amount,
  baseUrl,
  choice,
  cronOf,
  daysAtLeast,
  duration,
  keys,
  line,
  list,
  mail,
  name,
  named,
  schemaName,
  secretVariable,
  sentence,
  text,
  url,
  webhookUrl,
  zone,
} from './fields.ts'

const webhook = keys({
  url: webhookUrl().describe('Address that takes the posts. A redirect is not followed.'),
  secret_env: secretVariable().describe(
    'Environment variable with the secret that posts are signed with. The secret itself is never written here.',
  ),
  format: choice(['json', 'slack'])
    .prefault('json')
    .describe('Shape of the body: `json`, or the text and blocks of a Slack message.'),
})

const webhooks = list(webhook, 'webhooks, each with url and secret_env')
  .superRefine((given, context) => {
    const urls = given.map(({ url }) => url)
    urls.forEach((url, index) => {
      if (urls.indexOf(url) < index) {
        context.addIssue(sentence('alerts.webhook lists this url twice: remove one', [index, 'url']))
      }
    })
  })
  .prefault([])
  .describe('Incidents and their all-clears are also posted to these addresses, signed, as JSON.')

const escalate = keys({
  after: duration().describe('How long after the first mail.'),
  to: z
    .union([mail().transform((address) => [address]), list(mail(), 'mail addresses', { min: 1 })], {
      error: 'a list of mail addresses, at least one',
    })
    .describe('Mail addresses.'),
}).describe('Who else is mailed about an incident that nobody acknowledges in time. Drift and quality wait.')

const alerts = keys({
  from: mail().describe('Sender address of mails.'),
  base_url: baseUrl().describe('Public URL of `nightshift web`. Links in mails begin with it.'),
  repeat: duration().prefault('4h').describe('An open incident is mailed again after this long.'),
  group: duration({ zero: true })
    .prefault('30s')
    .describe('Incidents that open within this window are sent as one mail per address.'),
  escalate: escalate.optional(),
  digest: cronOf('alerts.digest')
    .optional()
    .describe(
      'When owners and readers are mailed what happened since the last digest, such as "0 8 * * 1" for each Monday, in the zone of the project. Readers: the entries of `consumers` that are mail addresses.',
    ),
  command: line()
    .prefault('npx nightshift')
    .describe(
      'What the commands in mails and posts begin with, such as `docker compose exec web nightshift`.',
    ),
  webhook: webhooks,
}).describe(
  'Mails about failures, lateness and drift. Without `SMTP_URL` they are written to .nightshift/outbox/.',
)

const timeouts = keys({
  checks: duration()
    .prefault('2m')
    .describe('Reading a model file, describing SQL, trying a model on some rows, finding stale nights.'),
  monitors: duration()
    .prefault('30m')
    .describe(
      'Monitoring of one published night: shadow, parity, drift, outcomes. Nights never wait for it.',
    ),
  datasets: duration().prefault('6h').describe('One training set, evaluation, leak check or replay.'),
}).describe('Timeouts of work outside the attempts of a night. Attempts have the timeout of their schedule.')

/** Younger records are still worked with: drift persists over nights, the gate takes searches for leaks of 30 days. */
const FEWEST_DAYS = 30
const kept = (usual: string) => daysAtLeast(FEWEST_DAYS).prefault(usual)

const retention = keys({
  runs: kept('730d').describe(
    'Runs that ended: tries that failed and stand for no night are removed, of the others the checks that passed and the inputs of what was superseded. What is published, or stood once, stays.',
  ),
  attempts: kept('365d').describe('Attempts of ended runs, with their steps and what they used.'),
  profiles: kept('730d').describe(
    'Profiles of nights and their drift. References, and the newest night of each version, stay.',
  ),
  mails: kept('365d').describe('Mails and posts that were sent. Incidents stay; mails of open ones too.'),
  evidence: kept('730d').describe(
    'What the readiness gate said each day, searches for leaks, and verdicts on lists that no longer stand. Versions, evaluations, promotions and what they were based on stay for ever.',
  ),
}).describe(
  'How long records of the ledger are kept, 30d at least. What a night, a rollback, an open incident or backfill, or the gate needs is kept longer.',
)

export const settingsSchema = keys({
  project: name().describe('Name of the project. It is part of queue names, mail threads and file metadata.'),
  timezone: zone().describe(
    'IANA time zone of the business. An as-of 2026-11-22 is the midnight that begins that day in this zone, and features.sql sees all timestamps in it.',
  ),
  warehouse: text('a folder, or s3://BUCKET/PREFIX')
    .refine((given) => !isObjectPath(given) || warehouseFault(given) === undefined, {
      error: (issue) => warehouseFault(String(issue.input)),
    })
    .prefault('warehouse')
    .describe(
      'Folder of published features and scores, relative to this file, or a bucket with a prefix (s3://BUCKET/PREFIX). All workers must see the same one.',
    ),
  schema: schemaName()
    .prefault('nightshift')
    .describe(
      'Schema of the ledger in its PostgreSQL database: projects that share a database each have one of their own. Another name is another, empty ledger.',
    ),
  alerts: alerts.optional(),
  people: named(
    mail(),
    choice(['approver', 'operator', 'viewer']),
    'a map from mail address to approver, operator or viewer',
  )
    .prefault({})
    .describe(
      'Roles. If given, `--by` must name one of them, and so must the sign-in of whoever presses a button of a readiness page: an operator retries, releases, skips and rolls back, an approver also promotes, a viewer changes nothing.',
    ),
  timeouts: timeouts.prefault({}),
  retention: retention.prefault({}),
  memory: amount()
    .prefault(USUAL_AMOUNT.text)
    .describe(
      'Memory of one worker process with its compute children: a size, or a share of the machine (of its control group, where that has less). It is divided over the tasks that run at once; what does not fit into a share is spilled to disk.',
    ),
  temp: amount()
    .prefault(USUAL_AMOUNT.text)
    .describe(
      'The most that one task spills to disk: a size, or a share of what is free there when it starts. A task that needs more fails with class `resource`.',
    ),
  objects: amount()
    .prefault(USUAL_CACHE.text)
    .describe(
      'The most that is kept on this machine of sources in object storage, in `.nightshift/objects`: a size, or a share of what is free there. What was used longest ago is given up first.',
    ),
  pages: keys({
    rows: choice(['nobody', 'operators', 'everyone'])
      .prefault('nobody')
      .describe(
        'Who sees single rows of published scores on the pages of `web`, with their reasons, and may download them: nobody, operators, or everyone who is signed in.',
      ),
  })
    .prefault({})
    .describe('What the pages of `web` show.'),
  heartbeat: url()
    .optional()
    .describe(
      'Fetched after each healthy reconcile and each published night. An external service that stops receiving it can alert you that everything is down.',
    ),
}).describe('nightshift.yaml: settings of the whole project.')

export type Settings = z.output<typeof settingsSchema>
