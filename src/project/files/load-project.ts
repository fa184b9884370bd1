import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { runbookSections } from '../init/runbook-skeleton.ts'
import type { Model, Project, Schedule, View } from '../project.ts'
import { checkCalendar } from '../rules/calendar-rules.ts'
import { checkReferences } from '../rules/drift-reference-rules.ts'
import { modelRules } from '../rules/model-rules.ts'
import { scheduleRules } from '../rules/schedule-rules.ts'
import { viewRules } from '../rules/view-rules.ts'
import '../schema/without-codegen.ts'
import { type ModelFile, modelSchema } from '../schema/model-schema.ts'
import { type ScheduleFile, scheduleSchema } from '../schema/schedule-schema.ts'
import { settingsSchema } from '../schema/settings-schema.ts'
import { type ViewFile, viewSchema } from '../schema/view-schema.ts'
import { buildModel, buildProject, buildSchedule, buildView } from './build-project.ts'
import { type Entries, type Entry, readEntry } from './entry.ts'
import { formatProblems } from './format-problems.ts'
import { type KnownFiles, openKnownFiles } from './known-files.ts'
import { didYouMean, nearestName } from './nearest.ts'
import { ConfigurationError, firstProblems, type Problem } from './problem.ts'
import { leaves, leavingWords, readProjectFile } from './project-file.ts'
import { listed } from './value-text.ts'

export interface Loaded {
  /**
   * The views, models and schedules whose own files are valid, for later checks. Undefined if nightshift.yaml has an
   * error. Must not be run while `problems` has an error: use `openProject` for that.
   */
  project: Project | undefined
  /** The problems of all files, in file order. */
  problems: Problem[]
}

const SETTINGS = {
  name: 'settings',
  schema: settingsSchema,
  loose: settingsSchema.partial(),
  rules: () => [],
}
const VIEW = { name: 'view', schema: viewSchema, loose: viewSchema.partial(), rules: viewRules }
const MODEL = { name: 'model', schema: modelSchema, loose: modelSchema.partial(), rules: modelRules }
const SCHEDULE = {
  name: 'schedule',
  schema: scheduleSchema,
  loose: scheduleSchema.partial(),
  rules: scheduleRules,
}

const FOLDERS = ['features', 'models', 'schedules']

/** Reads and checks all files of a project. The calendar rules check the year that begins at `now`. */
export function loadProject(root: string, { now = new Date() }: { now?: Date } = {}): Loaded {
  const base = resolve(root)
  const missing = withoutSettings(base)
  if (missing !== undefined) return { project: undefined, problems: [missing] }

  const known = openKnownFiles(base)
  const problems: Problem[] = strayFolders(base)
  const settings = readEntry(
    { root: base, file: 'nightshift.yaml', name: 'nightshift', example: 'project: telco' },
    SETTINGS,
    known,
  )
  const entries: Entries = {
    settings,
    views: folders(base, 'features', 'view.yaml', problems).map((name) =>
      readEntry(
        { root: base, file: `features/${name}/view.yaml`, name, example: `view: ${name}` },
        VIEW,
        known,
      ),
    ),
    models: folders(base, 'models', 'model.yaml', problems).map((name) =>
      readEntry(
        { root: base, file: `models/${name}/model.yaml`, name, example: `model: ${name}` },
        MODEL,
        known,
      ),
    ),
    schedules: scheduleFiles(base, problems).map((name) =>
      readEntry(
        { root: base, file: `schedules/${name}.yaml`, name, example: `schedule: ${name}` },
        SCHEDULE,
        known,
      ),
    ),
  }
  const all = [settings, ...entries.views, ...entries.models, ...entries.schedules]
  problems.push(
    ...all.flatMap((entry) => entry.problems),
    ...checkReferences(entries),
    ...knownCalendar(entries, now, known),
  )
  known.save()

  const views = entries.views.flatMap((entry) => readView(base, entry, problems))
  const models = entries.models.flatMap((entry) => readModel(base, entry, problems))
  const zone = settings.value?.timezone
  const schedules =
    zone === undefined ? [] : entries.schedules.flatMap((entry) => readSchedule(base, entry, zone))
  return {
    project: settings.value && buildProject(base, settings.value, { views, models, schedules }),
    problems: firstProblems(inOrder(problems)),
  }
}

/** A calendar without problems is checked once a day: what is said of others has lines. */
function knownCalendar(entries: Entries, now: Date, known: KnownFiles): Problem[] {
  const text = JSON.stringify([
    now.toISOString().slice(0, 10),
    entries.settings.part.timezone,
    entries.schedules.map(({ name, yaml }) => [name, yaml.data]),
    entries.models.map(({ name, part }) => [name, part.view]),
    entries.views.map(({ name, yaml }) => [name, yaml.data?.sources]),
  ])
  if (known.find('calendar', text) !== undefined) return []
  const problems = checkCalendar(entries, now)
  if (problems.length === 0) known.add('calendar', text, 'sound')
  return problems
}

/** The project, ready to run. Throws a ConfigurationError that lists every error in its files. */
export function openProject(root: string): Project {
  const missing = withoutSettings(resolve(root))
  // A folder that is not a project gets one sentence, not a list.
  if (missing !== undefined) throw new ConfigurationError(missing.message, { problems: [missing] })
  const { project, problems } = loadProject(root)
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (project !== undefined && errors.length === 0) return project
  const message = `the files of the project in ${resolve(root)} have errors; nothing was started:\n\n${formatProblems(errors)}`
  throw new ConfigurationError(message, { problems })
}

function withoutSettings(root: string): Problem | undefined {
  if (existsSync(join(root, 'nightshift.yaml'))) return undefined
  const near = existsSync(join(root, 'nightshift.yml'))
    ? '; rename nightshift.yml there to nightshift.yaml'
    : ''
  const why = existsSync(root)
    ? statSync(root).isDirectory()
      ? ''
      : ', which is a file'
    : ', which does not exist'
  const message = `expected a project with nightshift.yaml in ${root}${why}, got none${near}; name the project's folder with --project DIR, or make a new one with \`nightshift init DIR\``
  return { severity: 'error', file: 'nightshift.yaml', line: undefined, column: undefined, message }
}

/** A folder `model/` without `models/` would silently be a project without models. */
function strayFolders(root: string): Problem[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    const near =
      entry.isDirectory() && !FOLDERS.includes(entry.name) ? nearestName(entry.name, FOLDERS) : undefined
    if (near === undefined || existsSync(join(root, near))) return []
    return [
      unread(
        'warning',
        entry.name,
        `${entry.name}/ is not read: expected one of features/, models/, schedules/${didYouMean(entry.name, FOLDERS)}`,
      ),
    ]
  })
}

/** Names of the folders in `parent` that contain the file. Folders that contain only other files are reported. */
function folders(root: string, parent: string, file: string, problems: Problem[]): string[] {
  return list(root, parent, problems).flatMap((entry) => {
    const folder = `${parent}/${entry.name}`
    if (/^[._]/.test(entry.name) || !isFolder(join(root, folder))) return []
    if (isOutside(root, folder, problems)) return []
    const inside = readdirSync(join(root, folder)).filter((name) => !name.startsWith('.'))
    if (inside.includes(file)) return [entry.name]
    const near = nearestName(file, inside)
    if (inside.length > 0) {
      problems.push(
        unread(
          'error',
          `${folder}/${file}`,
          `${folder} has no ${file}; it has: ${listed(inside)}${near === undefined ? '' : `; rename ${near} to ${file}`}`,
        ),
      )
    }
    return []
  })
}

function scheduleFiles(root: string, problems: Problem[]): string[] {
  return list(root, 'schedules', problems).flatMap((entry) => {
    if (entry.name.startsWith('.')) return []
    if (entry.name.endsWith('.yaml')) return [entry.name.slice(0, -'.yaml'.length)]
    if (entry.name.endsWith('.yml')) {
      problems.push(
        unread(
          'error',
          `schedules/${entry.name}`,
          `only files named *.yaml are read; rename it to ${entry.name.slice(0, -'.yml'.length)}.yaml`,
        ),
      )
    }
    return []
  })
}

function list(root: string, folder: string, problems: Problem[]): Dirent[] {
  const path = join(root, folder)
  if (!existsSync(path)) return []
  if (!isFolder(path)) {
    problems.push(unread('error', folder, `expected ${folder} to be a folder, got: a file`))
    return []
  }
  if (isOutside(root, folder, problems)) return []
  return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Names of files outside the project are not revealed. */
function isOutside(root: string, folder: string, problems: Problem[]): boolean {
  const real = leaves(root, join(root, folder))
  if (real === false) return false
  problems.push(unread('error', folder, leavingWords(folder, real)))
  return true
}

function isFolder(path: string): boolean {
  // A link to a missing target has no status and is not a folder.
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function readView(root: string, entry: Entry<ViewFile>, problems: Problem[]): View[] {
  const sql = readSql(
    root,
    `features/${entry.name}/features.sql`,
    'one SELECT that computes the features',
    problems,
  )
  if (entry.value === undefined || sql === undefined || entry.value.view !== entry.name) return []
  return [buildView(entry.value, join(root, entry.yaml.file), sql)]
}

function readModel(root: string, entry: Entry<ModelFile>, problems: Problem[]): Model[] {
  const folder = `models/${entry.name}`
  const { labels } = entry.part
  const runbook = readProjectFile(root, `${folder}/RUNBOOK.md`)
  if (typeof runbook !== 'string' && !runbook.missing) {
    problems.push(unread('error', `${folder}/RUNBOOK.md`, runbook.fault))
  } else if (typeof runbook !== 'string') {
    problems.push(
      unread(
        'warning',
        `${folder}/RUNBOOK.md`,
        `RUNBOOK.md is missing: mails link to it when a night fails; \`nightshift runbook ${entry.name}\` writes its skeleton`,
      ),
    )
  }
  if (typeof runbook === 'string')
    problems.push(...missingSections(`${folder}/RUNBOOK.md`, runbook, entry.name))
  let sql: string | undefined
  if (labels !== undefined) {
    sql = readSql(
      root,
      `${folder}/${labels.sql}`,
      'SQL that gives the label of each entity (labels.sql in model.yaml names it)',
      problems,
    )
  } else if (entry.yaml.data?.labels === undefined && existsSync(join(root, folder, 'labels.sql'))) {
    problems.push(
      unread(
        'warning',
        `${folder}/labels.sql`,
        'labels.sql is not used: add `labels: { sql: labels.sql, horizon: 30d }` to model.yaml, or remove it',
      ),
    )
  }
  if (entry.value === undefined || entry.value.model !== entry.name) return []
  return labels !== undefined && sql === undefined
    ? []
    : [buildModel(entry.value, join(root, entry.yaml.file), sql)]
}

/** Sections that a mail or a page may link to. */
function missingSections(file: string, runbook: string, model: string): Problem[] {
  const missing = runbookSections(runbook).filter(({ line }) => line === undefined)
  if (missing.length === 0) return []
  const names = missing.map((section) => section.class).join(', ')
  return [
    unread(
      'warning',
      file,
      `mails and pages link to sections that are missing: ${names}; \`nightshift runbook ${model} --add\` appends their skeletons`,
    ),
  ]
}

function readSchedule(root: string, entry: Entry<ScheduleFile>, timezone: string): Schedule[] {
  if (entry.value === undefined || entry.value.schedule !== entry.name) return []
  return [buildSchedule(entry.value, join(root, entry.yaml.file), timezone)]
}

function readSql(root: string, file: string, what: string, problems: Problem[]): string | undefined {
  const text = readProjectFile(root, file)
  if (typeof text !== 'string') {
    problems.push(unread('error', file, text.missing ? `${file} is missing: expected ${what}` : text.fault))
    return undefined
  }
  if (text.trim() !== '') return text
  problems.push(unread('error', file, `expected ${what}, got: an empty file`))
  return undefined
}

/** A problem that concerns a whole file or folder. */
function unread(severity: Problem['severity'], file: string, message: string): Problem {
  return { severity, file, line: undefined, column: undefined, message }
}

/** nightshift.yaml first, then by path and line: the order in which a person works through them. */
function inOrder(problems: Problem[]): Problem[] {
  const rank = ({ file }: Problem) => (file === 'nightshift.yaml' ? '' : file)
  return problems.toSorted((a, b) => {
    if (a.file !== b.file) return rank(a) < rank(b) ? -1 : 1
    return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  })
}
