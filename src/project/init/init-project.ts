import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import { type IncidentKind, RUNBOOK_SECTIONS } from '../../failures/incident-kinds.ts'
import { ownFile, packageFile } from '../../program/own-files.ts'
import { ConfigurationError } from '../files/problem.ts'
import { isTimeZone } from '../time/zone.ts'
import { runbookSkeleton } from './runbook-skeleton.ts'

/** The path of each file of src/project/init/ in a new project. */
const FILES: Record<string, string> = {
  'nightshift.yaml': 'nightshift.yaml',
  'features/customer_orders/view.yaml': 'view.yaml',
  'features/customer_orders/features.sql': 'features.sql',
  'features/customer_orders/examples/orders.yaml': 'example.yaml',
  'models/lapse/model.yaml': 'model.yaml',
  'models/lapse/labels.sql': 'labels.sql',
  'schedules/nightly.yaml': 'nightly.yaml',
  'README.md': 'README.md',
}

const SCHEMAS = ['settings', 'view', 'example', 'model', 'schedule'].map((name) => `${name}.schema.json`)

const GITIGNORE = `# Data is not code. Published partitions, the embedded ledger and mails are regenerated or stored elsewhere.
data/
warehouse/
.nightshift/
`

/**
 * Creates a project that passes `validate` once its sample data exists (init/sample-data.ts, for the same `today`).
 * Throws as `writeProject` does. `today` (ISO date) and `timezone` default to those of this machine. Returns the files written,
 * relative to `dir`.
 */
export function initProject(dir: string, options: { today?: string; timezone?: string } = {}): string[] {
  const root = resolve(dir)
  const { timezone = machineZone(), today = Temporal.Now.plainDateISO(timezone).toString() } = options
  const values = {
    project: nameOf(root),
    timezone,
    as_of: today,
    train_from: before(today, 170),
    holdout_from: before(today, 60),
  }
  return writeProject(root, [
    ...Object.entries(FILES).map(([path, template]): [string, string] => [path, filled(template, values)]),
    ['models/lapse/RUNBOOK.md', runbook()],
  ])
}

/** The time zone of this machine, UTC where it has none that is known. */
export function machineZone(): string {
  const machine = Temporal.Now.timeZoneId()
  return isTimeZone(machine) ? machine : 'UTC'
}

/** nightshift.yaml of a new project. */
export function firstSettings(root: string, timezone: string, asOf: string): string {
  return filled('nightshift.yaml', { project: nameOf(root), timezone, as_of: asOf })
}

/**
 * Writes the files of a new project, with the schemas that editors ask for. Existing files are unchanged: a folder that contains
 * anything but `.git` and `allowed` (names) is refused with a ConfigurationError. Returns the files written, relative to `root`.
 */
export function writeProject(
  root: string,
  files: [path: string, text: string][],
  allowed: string[] = [],
): string[] {
  refuseOccupied(root, allowed)
  const contents: [path: string, text: string][] = [
    ...files,
    ['.gitignore', GITIGNORE],
    ...SCHEMAS.map((file): [string, string] => [
      `schemas/${file}`,
      readFileSync(packageFile(`schemas/${file}`), 'utf8'),
    ]),
  ]
  for (const [path, text] of contents) write(join(root, path), text)
  return contents.map(([path]) => path).sort()
}

/** Throws a ConfigurationError where a folder has something in it beside `.git` and `allowed`. */
export function refuseOccupied(root: string, allowed: string[] = []): void {
  if (!existsSync(root)) return
  if (!statSync(root).isDirectory()) {
    throw new ConfigurationError(`init: expected ${root} to be an empty or new folder, got: a file`)
  }
  const inTheWay = readdirSync(root).filter((name) => name !== '.git' && !allowed.includes(name))
  if (inTheWay.length === 0) return
  const shown = inTheWay.slice(0, 5).join(', ')
  const more = inTheWay.length > 5 ? ` and ${inTheWay.length - 5} more` : ''
  throw new ConfigurationError(
    `init: expected ${root} to be empty, got: ${shown}${more}; nothing was written; choose another folder, such as \`nightshift init ${join(root, 'nightshift')}\``,
  )
}

/** The folder's name, changed to a legal one. */
function nameOf(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .replace(/-+$/, '')
    .slice(0, 100)
  return name === '' ? 'nightshift' : name
}

function before(today: string, days: number): string {
  return Temporal.PlainDate.from(today).subtract({ days }).toString()
}

function filled(template: string, values: Record<string, string>): string {
  const text = readFileSync(ownFile(`project/init/${template}`), 'utf8')
  return text.replace(/\{\{(\w+)\}\}/g, (whole, key) => values[key] ?? whole)
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    // `wx`: a file created since the check above is not overwritten.
    writeFileSync(path, text, { flag: 'wx' })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigurationError(
      `init: ${path} cannot be written (${why}); choose a folder that this user may write to`,
      { cause },
    )
  }
}

/** Of a section about which the example has nothing of its own to say. */
const AS_ABOVE = 'The example has nothing of its own to add: the steps above are enough.'

/** What the example's owner has to add to the steps of each section. */
const OWN: Partial<Record<IncidentKind, string>> = {
  'late-data':
    'The sample data ends on the day of `nightshift init`, so the second night fails here, as intended. In production:\n`orders` is loaded by the shop, `customers` by the CRM; name both jobs and how to reach their owners at night.',
  contract:
    'A fourth plan in `customers` breaks `plan: values`: ask the CRM whether it is real, then add it to view.yaml by day.\nHalf of the rows missing breaks `rows: max_change`: check whether a month is missing in data/orders/.',
  model:
    'crm-team@example.com trained it. Rolling back to the previous version is always safe: its inputs are the same columns.',
  resource:
    'A night takes seconds and 200 MB. If it needs more, another process is using the machine: check that first.',
  transient:
    'On one machine PostgreSQL is embedded and restarts with the next command. With a server of its own: call the platform team first.',
  drift:
    'The sample customers are the same every day: orders change with the season and with campaigns, plans hardly ever. Ask the\nCRM about both. Scores that shift by a tenth change whom the campaign contacts: notify the CRM.',
  bug: 'Call no one before 07:00: the campaign reads the scores at 08:00, and those of yesterday are good enough for a day.',
  deadline:
    'The campaign tool reads the scores at 08:00. If they are not there by 07:45, tell the CRM to use those of yesterday.',
  'given-up':
    'The campaign needs the newest night only: leave older ones, and find out by day why nothing ran.',
  quality:
    'Lapses are known a month later. Below an AUC of 0.65 the campaign is no better than a list by last order: tell the CRM.',
  parity:
    'The shop rewrites orders of the last two days when payments fail: up to ten late rows are normal, more are a defect of the export.',
  unchecked: 'Both checks take seconds here. A check that takes a minute points at a busy machine.',
  retrain:
    'crm-team@example.com wrote the training script; a champion of four months is still good, so that nobody hurries.',
}

function runbook(): string {
  return runbookSkeleton(
    {
      name: 'lapse',
      description: 'Probability that a customer orders nothing in the next 30 days',
      owner: 'crm-team@example.com',
      on_call: ['oncall@example.com'],
      view: 'customer_orders',
    },
    Object.fromEntries(RUNBOOK_SECTIONS.map(({ kind }) => [kind, OWN[kind] ?? AS_ABOVE])),
  )
}
