import type { Entries, Entry } from '../files/entry.ts'
import { didYouMean } from '../files/nearest.ts'
import { MOST_PROBLEMS, type Problem } from '../files/problem.ts'
import { listed, short } from '../files/value-text.ts'
import { NAME_LEGAL, NAME_PATTERN } from '../schema/fields.ts'
import { reservedColumns } from '../schema/score-columns.ts'

/** Rules across files: names that must exist, must be equal, or must not collide. */
export function checkReferences(entries: Entries): Problem[] {
  const views = entries.views.map(({ name }) => name)
  const models = entries.models.map(({ name }) => name)
  return [
    ...entries.views.flatMap((entry) => [
      ...sameName(entry, 'view', entry.part.view),
      ...entityColumns(entry),
    ]),
    ...entries.models.flatMap((entry) => [
      ...sameName(entry, 'model', entry.part.model),
      ...viewOf(entry, views, models),
      ...scoreColumns(entry, entries),
      ...ownSources(entry, entries),
      ...wakesKnownPeople(entry, entries.settings.part.people),
    ]),
    ...entries.schedules.flatMap((entry) => [
      ...sameName(entry, 'schedule', entry.part.schedule),
      ...scheduled(entry, 'score', 'model', models, views),
      ...scheduled(entry, 'refresh', 'view', views, models),
    ]),
  ]
}

type Part<K extends keyof Entries> = Entries[K] extends (infer E)[] ? E : Entries[K]

function sameName(
  entry: Entry<unknown>,
  key: 'view' | 'model' | 'schedule',
  given: string | undefined,
): Problem[] {
  const what = key === 'schedule' ? 'file' : 'folder'
  if (!NAME_PATTERN.test(entry.name)) {
    return [
      error(
        entry,
        [key],
        `expected the name of the ${what} to be ${NAME_LEGAL}, got: ${entry.name}; rename it`,
      ),
    ]
  }
  if (given === undefined || given === entry.name) return []
  return [
    error(
      entry,
      [key],
      `expected ${key} to be the name of its ${what}, ${entry.name}, got: "${given}"; change one of them`,
    ),
  ]
}

function entityColumns(entry: Part<'views'>): Problem[] {
  const entity = entry.part.entity ?? []
  // The warehouse keeps partitions in folders `as_of=D`: a reader that globs them gets it as a column that replaces
  // the file's own.
  return entity.flatMap((column) =>
    column.toLowerCase() === 'as_of'
      ? [
          error(
            entry,
            ['entity'],
            `entity names ${column}, which readers of the warehouse get from its folders (as_of=D): give the column another name`,
          ),
        ]
      : [],
  )
}

function viewOf(entry: Part<'models'>, views: string[], models: string[]): Problem[] {
  const { view } = entry.part
  if (view === undefined || views.includes(view)) return []
  return [
    error(
      entry,
      ['view'],
      `expected view to be ${oneOf(views, 'features/')}, got: "${view}"${didYouMean(view, views)}${misplaced(view, models, 'a model')}`,
    ),
  ]
}

function scoreColumns(entry: Part<'models'>, { views }: Entries): Problem[] {
  const entity = views.find(({ name }) => name === entry.part.view)?.part.entity ?? []
  const column = entry.part.score?.column
  const taken = reservedColumns(entry.part.score?.reasons)
  const reserved = entity.filter(
    (each) => taken.includes(each.toLowerCase()) && each.toLowerCase() !== 'as_of',
  )
  const problems = reserved.map((each) =>
    error(
      entry,
      ['view'],
      `view ${entry.part.view} has the entity column ${each}, which scores have already (${taken.join(', ')}): give the entity another name in features.sql`,
    ),
  )
  if (column !== undefined && entity.some((each) => each.toLowerCase() === column.toLowerCase())) {
    problems.push(
      error(
        entry,
        ['score', 'column'],
        `score.column is ${column}, the entity column of view ${entry.part.view}: choose another name for the score`,
      ),
    )
  }
  return problems
}

/** The SQL of labels and outcomes sees the sources of both files, so their names must differ. */
function ownSources(entry: Part<'models'>, { views }: Entries): Problem[] {
  const view = views.find(({ name }) => name === entry.part.view)
  const taken = Object.keys(view?.part.sources ?? {})
  return Object.keys(entry.part.sources ?? {}).flatMap((name) => {
    const same = taken.find((other) => other.toLowerCase() === name.toLowerCase())
    if (same === undefined) return []
    const message = `sources has ${name}, and view ${view?.name} has a source ${same}, which labels.sql and outcomes also see: rename one`
    return [error(entry, ['sources', name], message)]
  })
}

/** Only a warning: the address may be a mailing list, which is never given to `--by`. */
function wakesKnownPeople(entry: Part<'models'>, people: Record<string, unknown> | undefined): Problem[] {
  const known = Object.keys(people ?? {})
  if (known.length === 0) return []
  const strangers = [...(entry.part.on_call ?? []).entries()].filter(
    ([, address]) => !Object.hasOwn(people ?? {}, address),
  )
  return strangers.slice(0, MOST_PROBLEMS + 1).map(([index, address]) => ({
    ...error(
      entry,
      ['on_call', index],
      `on_call names ${short(address)}, who is not among people in nightshift.yaml: they are mailed, but may not retry, release or skip; add them as operator${didYouMean(address, known)}`,
    ),
    severity: 'warning' as const,
  }))
}

function scheduled(
  entry: Part<'schedules'>,
  key: 'score' | 'refresh',
  what: 'model' | 'view',
  names: string[],
  others: string[],
): Problem[] {
  const wrongNames = [...(entry.part[key] ?? []).entries()].filter(([, name]) => !names.includes(name))
  return wrongNames.slice(0, MOST_PROBLEMS + 1).map(([index, name]) => {
    const wrong = misplaced(name, others, what === 'model' ? 'a view: use refresh' : 'a model: use score')
    return error(
      entry,
      [key, index],
      `expected ${key}[${index}] to be ${oneOf(names, `${what === 'model' ? 'models' : 'features'}/`)}, got: "${name}"${wrong || didYouMean(name, names)}`,
    )
  })
}

function oneOf(names: string[], folder: string): string {
  return names.length === 0
    ? `a folder of ${folder}, which has none yet`
    : `one of ${listed(names)} (the folders of ${folder})`
}

function misplaced(name: string, others: string[], as: string): string {
  return others.includes(name) ? `; ${name} is ${as}` : ''
}

function error(entry: Entry<unknown>, path: PropertyKey[], message: string): Problem {
  return { severity: 'error', file: entry.yaml.file, ...entry.yaml.place(path), message }
}
