import type * as z from 'zod'
import { didYouMean, nearestName } from './nearest.ts'
import { MOST_PROBLEMS, type Problem } from './problem.ts'
import { describe, short } from './value-text.ts'
import type { YamlFile } from './yaml-file.ts'

type Issue = z.core.$ZodIssue

/**
 * Turns zod issues into problems that a person can act on. By the convention of schema/fields.ts an issue's message
 * states what is legal. This adds the position, the value found and the value that was probably meant. Stops after
 * MOST_PROBLEMS, so that a file with thousands of wrong keys is reported as fast as one with a few.
 */
export function explain(issues: readonly Issue[], yaml: YamlFile): Problem[] {
  const problems: Problem[] = []
  const reported = new Set<string>()
  const unfolded = issues.flatMap((each) => unfold(each, yaml.data))
  const misspelt = misspeltKeys(unfolded)
  for (const issue of unfolded) {
    if (problems.length > MOST_PROBLEMS) break
    if (isMisspelt(issue, misspelt, yaml.data)) continue
    // A value that is wrong in two ways is reported once: the first issue states what is legal.
    const once = `${dotted(issue.path)} ${issue.code === 'custom' && isSentence(issue) ? issue.message : ''}`
    if (reported.has(once)) continue
    reported.add(once)
    problems.push(...phrase(issue, yaml))
  }
  return problems
}

/** Maps the path of each map with unknown keys to the legal keys that were probably meant. */
function misspeltKeys(issues: readonly Issue[]): Map<string, Set<string>> {
  const meant = new Map<string, Set<string>>()
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue
    const legal = issue.message.split(', ')
    const near = issue.keys.flatMap((key) => nearestName(key, legal) ?? [])
    meant.set(dotted(issue.path), new Set(near))
  }
  return meant
}

/** Whether a missing key is present under a misspelt name. The message about the unknown key already covers it. */
function isMisspelt(issue: Issue, misspelt: Map<string, Set<string>>, data: unknown): boolean {
  const key = issue.path.at(-1)
  if (typeof key !== 'string' || misspelt.size === 0 || isPresent(data, issue.path)) return false
  return misspelt.get(dotted(issue.path.slice(0, -1)))?.has(key) ?? false
}

/** Formats one issue as `expected X to be ..., got: ...`, with a hint where there is one. */
function phrase(issue: Issue, yaml: YamlFile): Problem[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    const legal = issue.message.split(', ')
    return issue.keys.slice(0, MOST_PROBLEMS + 1).map((key) => {
      const where = path.length === 0 ? '' : ` in ${dotted(path)}`
      return problem(
        yaml,
        [...path, key],
        'key',
        `unknown key ${short(key)}${where}; legal here: ${legal.join(', ')}${didYouMean(key, legal)}`,
      )
    })
  }
  if (issue.code === 'invalid_key') {
    const legal = issue.issues[0]?.message ?? issue.message
    const key = String(path.at(-1))
    return [
      problem(
        yaml,
        path,
        'key',
        `expected the key in ${dotted(path.slice(0, -1))} to be ${legal}, got: ${describe(key)}${didYouMean(key, options(issue.issues[0]))}`,
      ),
    ]
  }
  if (issue.code === 'custom' && isSentence(issue)) {
    return [problem(yaml, path, 'value', issue.message)]
  }
  if (!isPresent(yaml.data, path)) {
    const parent = path.slice(0, -1)
    const where = parent.length === 0 ? '' : ` in ${dotted(parent)}`
    return [
      problem(yaml, parent, 'key', `${String(path.at(-1))} is missing${where}: expected ${issue.message}`),
    ]
  }
  const got = valueAt(yaml.data, path)
  const fix = got === null ? '; give it a value or remove the key' : meantBy(issue, got)
  return [
    problem(
      yaml,
      path,
      'value',
      `expected ${dotted(path)} to be ${issue.message}, got: ${describe(got)}${fix}`,
    ),
  ]
}

function problem(
  yaml: YamlFile,
  path: readonly PropertyKey[],
  what: 'key' | 'value',
  message: string,
): Problem {
  return { severity: 'error', file: yaml.file, ...yaml.place(path, what), message }
}

/** Replaces a union's issue with the issues of the intended branch, if the value shows which one that is. */
function unfold(issue: Issue, data: unknown): Issue[] {
  const value = valueAt(data, issue.path)
  if (issue.code !== 'invalid_union' || typeof value !== 'object' || value === null) return [issue]
  const inner = issue.errors.find((branch) =>
    branch.every(({ path, code }) =>
      // A map matches the branch whose keys it has. A list matches the list branch, whatever its entries.
      Array.isArray(value)
        ? path.length > 0 || code === 'custom'
        : path.length > 0 && code !== 'unrecognized_keys' && isPresent(value, path),
    ),
  )
  return inner === undefined || inner.length === 0
    ? [issue]
    : inner.map((each) => ({ ...each, path: [...issue.path, ...each.path] }))
}

function meantBy(issue: Issue, got: unknown): string {
  if (issue.code === 'custom' && typeof issue.params?.meant === 'string')
    return `; did you mean ${issue.params.meant}?`
  if (issue.code === 'invalid_type' && issue.expected === 'array' && typeof got === 'string') {
    return `; did you mean [${short(got)
      .split(/[\s,]+/)
      .join(', ')}]?`
  }
  if (got === 'yes' || got === 'no')
    return issue.message === 'true or false' ? `; did you mean ${got === 'yes'}?` : ''
  return typeof got === 'string' ? didYouMean(got, options(issue)) : ''
}

function options(issue: Issue | undefined): string[] {
  if (issue?.code === 'invalid_value') return texts(issue.values)
  if (issue?.code === 'invalid_union') return 'options' in issue ? texts(issue.options) : []
  return []
}

function texts(values: unknown): string[] {
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : []
}

function isSentence(issue: Extract<Issue, { code: 'custom' }>): boolean {
  return issue.params?.sentence === true
}

function isPresent(data: unknown, path: readonly PropertyKey[]): boolean {
  const parent = valueAt(data, path.slice(0, -1))
  const last = path.at(-1)
  return last === undefined || (typeof parent === 'object' && parent !== null && Object.hasOwn(parent, last))
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.getOwnPropertyDescriptor(value, step)?.value
  }
  return value
}

/** `sources.calls.cutoff`, `on_call[0]`. */
export function dotted(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) =>
      typeof step === 'number'
        ? `${text}[${step}]`
        : `${text}${text === '' ? '' : '.'}${short(String(step))}`,
    '',
  )
}
