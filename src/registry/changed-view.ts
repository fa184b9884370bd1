import type { Project } from '../project/project.ts'
import { withKey } from '../project/source-kinds.ts'
import { type Declaration, declarationOf } from './declaration.ts'
import { lineDiff } from './line-diff.ts'
import type { Version } from './version-records.ts'

/** A view definition that a version was registered on or a training set was built from. */
export interface Registered {
  /** Such as `version 1 of churn was registered on`, or `training set 3f2a... was made by`. */
  who: string
  model: string
  view: string
  hash: string
  /** Null if it was not stored. */
  sql: string | null
  declaration: Declaration | null
}

/** `role` is the version's role for readers, such as `live`. */
export function registeredAs(version: Version, role?: string): Registered {
  return {
    who: `version ${version.version} of ${version.model}${role === undefined ? '' : `, which is ${role},`} was registered on`,
    model: version.model,
    view: version.view,
    hash: version.view_hash,
    sql: version.features_sql,
    declaration: version.declaration,
  }
}

export interface ChangedView {
  /** One line: both hashes, the difference, and what to do. */
  message: string
  /** `-` as registered, `+` now: a diff of features.sql, then the declarations. Empty if no difference is known. */
  difference: string[]
  /** Commands, with edits as comments, that move the changed features into a separate folder. */
  instead: string[]
}

/** The complete text, in lines. */
export function describeChange({ message, difference, instead }: ChangedView): string {
  return [message, ...difference, ...instead].join('\n')
}

/** Describes how a view differs from the registered definition, and how to keep both. `found` is the current one, or that of a night. */
export function changedView(
  project: Pick<Project, 'views' | 'timezone'>,
  registered: Registered,
  found: { what: string; hash: string | null; asOf?: string },
): ChangedView {
  const view = project.views[registered.view]
  const sql = view === undefined || registered.sql === null ? [] : lineDiff(registered.sql, view.sql)
  const declared =
    view === undefined || registered.declaration === null
      ? []
      : declarationDiff(
          registered.declaration,
          declarationOf(view, project.timezone),
          isNamedIn(`${registered.sql ?? ''}\n${view.sql}`),
        )
  const difference = [
    ...(sql.length === 0 ? [] : ['features.sql', ...sql]),
    ...(declared.length === 0 ? [] : ['view.yaml', ...declared]),
  ]
  const instead = folderOfItsOwn(project, registered)
  const [copy = ''] = instead
  const what = `view ${registered.view} is not what ${registered.who}: expected ${short(registered.hash)}, ${found.what} ${short(found.hash)}`
  const advice =
    difference.length === 0 &&
    view !== undefined &&
    registered.sql !== null &&
    registered.declaration !== null
      ? `The files on disk match the registered ones: recompute the features (nightshift refresh ${registered.view} --as-of ${found.asOf ?? 'D'} --force)`
      : `Restore features/${registered.view}, or keep both: ${copy}, view: ${nextName(project, registered.view)} in its view.yaml and in models/${registered.model}/model.yaml, then dataset, training, register`
  return { message: `${what}. ${summary(registered, sql, declared)}. ${advice}`, difference, instead }
}

function summary(registered: Registered, sql: string[], declared: string[]): string {
  const parts: string[] = []
  const [was, is] = ['-', '+'].map((sign) =>
    sql.filter((line) => line.startsWith(sign)).map((line) => line.slice(2).trim()),
  )
  if (sql.length > 0) {
    const lines = Math.max(was?.length ?? 0, is?.length ?? 0)
    parts.push(
      `features.sql differs in ${lines} ${lines === 1 ? 'line' : 'lines'}: ${shown(was)} is now ${shown(is)}`,
    )
  } else if (registered.sql !== null) parts.push('features.sql is the same')
  if (declared.length > 0) parts.push(`view.yaml differs: ${declared.join('; ')}`)
  else if (registered.declaration === null && sql.length === 0)
    parts.push('a declaration in view.yaml differs')
  return parts.join(', ')
}

function shown(lines: string[] | undefined): string {
  const [first] = lines ?? []
  if (first === undefined) return 'nothing'
  const words = first.replace(/\s+/g, ' ')
  const text = words.length > 80 ? `${words.slice(0, 77)}...` : words
  return `\`${text}\`${(lines ?? []).length > 1 ? ' ...' : ''}`
}

/** One line per differing field, such as `- sources.calls.cutoff: 4h` and `+ sources.calls.cutoff: 6h`. */
function declarationDiff(
  before: Declaration,
  after: Declaration,
  isRead: (source: string) => boolean,
): string[] {
  const [old, now] = [fieldsOf(before, isRead), fieldsOf(after, isRead)]
  if (before.timezone === undefined) now.delete('the project: timezone')
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((field) => {
    const [was, is] = [old.get(field), now.get(field)]
    if (was === is) return []
    return [
      ...(was === undefined ? [] : [`- ${field}: ${was}`]),
      ...(is === undefined ? [] : [`+ ${field}: ${is}`]),
    ]
  })
}

/** A source that the SQL does not use is not part of the view's identity. */
function isNamedIn(sql: string): (source: string) => boolean {
  return (source) => new RegExp(`\\b${source}\\b`, 'i').test(sql)
}

/** Fields of a source that are not part of the view's identity. */
const ELSEWHERE = new Set(['path', 'settle'])

function fieldsOf(
  { entity, fill, sources, timezone }: Declaration,
  isRead: (source: string) => boolean,
): Map<string, string> {
  const fields = new Map<string, string>([['entity', entity.join(', ')]])
  for (const [column, value] of Object.entries(fill)) fields.set(`fill.${column}`, String(value))
  if (timezone !== undefined) fields.set('the project: timezone', timezone)
  for (const [name, source] of Object.entries(sources)) {
    if (!isRead(name)) continue
    for (const [field, value] of Object.entries(withKey(source, entity))) {
      const isDefaultZone = timezone === undefined && field === 'timezone' && value === 'UTC'
      if (value !== undefined && !ELSEWHERE.has(field) && !isDefaultZone)
        fields.set(`sources.${name}.${field}`, textOf(value))
    }
  }
  return fields
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  // A duration as written in the file.
  if (typeof value === 'object' && value !== null && 'text' in value) return String(value.text)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function folderOfItsOwn(project: Pick<Project, 'views'>, { view, model }: Registered): string[] {
  const next = nextName(project, view)
  return [
    `cp -r features/${view} features/${next}`,
    `git checkout -- features/${view}   # or restore the lines marked - by hand`,
    `# features/${next}/view.yaml: view: ${next}`,
    `# models/${model}/model.yaml: view: ${next}`,
    `nightshift dataset ${model} --from D --to D --every 1mo --holdout-from D`,
    '# train on it',
    `nightshift register ${model} FILE.onnx --dataset ID`,
  ]
}

/** activity, activity_v2, activity_v3: the first free name. */
function nextName({ views }: Pick<Project, 'views'>, view: string): string {
  const base = view.replace(/_v\d+$/, '')
  for (let number = 2; ; number++) {
    const name = `${base}_v${number}`
    if (views[name] === undefined) return name
  }
}

function short(hash: string | null): string {
  return hash === null || hash === '' ? 'unknown' : hash.slice(0, 12)
}
