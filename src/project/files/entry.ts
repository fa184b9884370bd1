import type * as z from 'zod'
import type { ModelFile } from '../schema/model-schema.ts'
import type { ScheduleFile } from '../schema/schedule-schema.ts'
import type { Settings } from '../schema/settings-schema.ts'
import type { ViewFile } from '../schema/view-schema.ts'
import { explain } from './explain-fault.ts'
import type { KnownFiles } from './known-files.ts'
import { firstProblems, MOST_PROBLEMS, type Problem } from './problem.ts'
import { readProjectFile } from './project-file.ts'
import { parseFile, readYaml, type YamlFile } from './yaml-file.ts'

/** A file of which any key may be missing. */
export type Loose<T> = { [K in keyof T]?: T[K] | undefined }

/** One file of the project, read. */
export interface Entry<T> {
  /** The required name: that of its folder, or of the file without `.yaml`. */
  name: string
  yaml: YamlFile
  /** Undefined if the file has any error. */
  value: T | undefined
  /** The top-level keys that are valid on their own. Rules across files use these. */
  part: Loose<T>
  problems: Problem[]
}

/** All files, before they are checked against each other. */
export interface Entries {
  settings: Entry<Settings>
  views: Entry<ViewFile>[]
  models: Entry<ModelFile>[]
  schedules: Entry<ScheduleFile>[]
}

/** A violated rule over several keys: the full message and its position. */
export interface Fault {
  path: PropertyKey[]
  /** Reports the position of the key instead of its value. */
  key?: boolean
  /** Default: `error`. */
  severity?: 'error' | 'warning'
  message: string
}

/** How one kind of file is read. */
export interface Kind<T> {
  name: string
  schema: z.ZodType<T>
  /** The same without required keys. */
  loose: z.ZodType<Loose<T>>
  /** Rules over several keys. They see the file as written, so they run even if the file has other errors. */
  rules(data: Record<string, unknown>): Fault[]
}

/** What a valid file was read as. */
interface KnownFile {
  data: Record<string, unknown>
  value: unknown
  part: unknown
}

/** Reads a file by its kind. */
export function readEntry<T>(
  place: { root: string; file: string; name: string; example: string },
  kind: Kind<T>,
  known?: KnownFiles,
): Entry<T> {
  const text = readProjectFile(place.root, place.file)
  const found = typeof text === 'string' ? known?.find(kind.name, text) : undefined
  if (found !== undefined) return knownEntry(place, found as KnownFile)
  const yaml = parseFile(place.file, text, place.example)
  const entry = checked(place.name, yaml, kind)
  const { value, part, problems } = entry
  if (typeof text === 'string' && yaml.data !== undefined && problems.length === 0)
    known?.add(kind.name, text, { data: yaml.data, value, part } satisfies KnownFile)
  return entry
}

/** A file that was valid when it was read. Its text is parsed again where a rule over several files wants a position. */
function knownEntry<T>(
  { root, file, name, example }: { root: string; file: string; name: string; example: string },
  { data, value, part }: KnownFile,
): Entry<T> {
  let parsed: YamlFile | undefined
  const placed: YamlFile['place'] = (path, what) => {
    parsed ??= readYaml(root, file, example)
    return parsed.place(path, what)
  }
  return {
    name,
    yaml: { file, data, problems: [], place: placed },
    value: value as T,
    part: part as Loose<T>,
    problems: [],
  }
}

function checked<T>(name: string, yaml: YamlFile, { schema, loose, rules }: Kind<T>): Entry<T> {
  if (yaml.data === undefined) return { name, yaml, value: undefined, part: {}, problems: yaml.problems }
  const problems = [...yaml.problems]
  const parsed = schema.safeParse(yaml.data)
  if (!parsed.success) problems.push(...explain(parsed.error.issues, yaml))
  for (const { path, key = false, severity = 'error', message } of rules(yaml.data).slice(
    0,
    MOST_PROBLEMS + 1,
  )) {
    problems.push({ severity, file: yaml.file, ...yaml.place(path, key ? 'key' : 'value'), message })
  }
  const value = problems.some(({ severity }) => severity === 'error') ? undefined : parsed.data
  return { name, yaml, value, part: sound(yaml.data, loose), problems: firstProblems(problems) }
}

/** The file without its unknown and invalid top-level keys. */
function sound<T>(data: Record<string, unknown>, loose: z.ZodType<Loose<T>>): Loose<T> {
  const whole = loose.safeParse(data)
  if (whole.success) return whole.data
  const wrong = new Set<PropertyKey | undefined>()
  for (const issue of whole.error.issues) {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0)
      for (const key of issue.keys) wrong.add(key)
    else wrong.add(issue.path[0])
  }
  const rest = Object.fromEntries(Object.entries(data).filter(([key]) => !wrong.has(key)))
  return loose.safeParse(rest).data ?? {}
}
