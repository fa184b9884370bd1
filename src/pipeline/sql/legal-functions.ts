import { didYouMean } from '../../project/files/nearest.ts'
import { FUNCTIONS, type FunctionGroup, TABLE_FUNCTIONS } from './function-groups.ts'

/** Why SQL may not call a function, as words that follow its name; undefined where it may. `name` in lower case. */
export function refusalOf(name: string): string | undefined {
  const rule = FUNCTION_RULES.get(name)
  if (rule?.legal === true) return undefined
  if (rule !== undefined) return rule.why
  const legal = [...FUNCTION_RULES].flatMap(([each, { legal }]) => (legal ? [each] : []))
  return `is no function that SQL of a project may use${didYouMean(name, legal)}`
}

/** True where SQL may call it after FROM. `name` in lower case. */
export function isTableFunction(name: string): boolean {
  return TABLE_RULES.get(name)?.legal === true
}

/** `name` in lower case. */
export function isAggregate(name: string): boolean {
  return FUNCTION_RULES.get(name)?.group === 'aggregates'
}

const FUNCTION_RULES = rulesOf(FUNCTIONS)
const TABLE_RULES = rulesOf(TABLE_FUNCTIONS)

/** Names that SQL reads as calls without parentheses. A column so called has to be written with its table. */
export const BARE_CLOCKS: ReadonlySet<string> = new Set(
  FUNCTIONS.filter(({ group }) => group === 'clock').flatMap(namesOf),
)
/** The same, of constants: a column of a source may be called so. */
export const BARE_SESSION: ReadonlySet<string> = new Set([
  ...['current_user', 'session_user', 'user', 'current_role', 'current_catalog', 'current_schema'],
])

export function namesOf({ names }: FunctionGroup): string[] {
  return names.split(/\s+/).filter((name) => name !== '')
}

function rulesOf(groups: FunctionGroup[]): Map<string, FunctionGroup> {
  return new Map(groups.flatMap((group) => namesOf(group).map((name) => [name, group] as const)))
}
