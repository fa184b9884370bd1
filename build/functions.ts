import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { FUNCTIONS, type FunctionGroup, TABLE_FUNCTIONS } from '../src/pipeline/sql/function-groups.ts'
import { namesOf } from '../src/pipeline/sql/legal-functions.ts'
import { functionsOfDuckDb, SPELLINGS } from './duckdb-functions.ts'

/**
 * Brings src/pipeline/sql/function-groups.ts up to the pinned DuckDB: names that it has no more are left out, new ones
 * stand in a group `not looked at`, which is refused until somebody sorts them.
 */
const FILE = fileURLToPath(new URL('../src/pipeline/sql/function-groups.ts', import.meta.url))
const known = await functionsOfDuckDb()
const head = readFileSync(FILE, 'utf8').split('/** Where a value stands')[0] ?? ''
writeFileSync(
  FILE,
  `${head}/** Where a value stands: scalar functions, aggregates, window functions and macros. \`npm run functions\` keeps the names. */
export const FUNCTIONS: FunctionGroup[] = ${written(FUNCTIONS, new Set([...known.values, ...SPELLINGS]))}

/** Where a table stands, after FROM. */
export const TABLE_FUNCTIONS: FunctionGroup[] = ${written(TABLE_FUNCTIONS, known.tables)}
`,
)
execFileSync('npx', ['biome', 'check', '--write', FILE], { stdio: 'inherit' })

function written(groups: FunctionGroup[], names: ReadonlySet<string>): string {
  const seen = new Set(groups.flatMap(namesOf))
  const added = [...names].filter((name) => !seen.has(name))
  if (added.length > 0) console.log(`not looked at: ${added.join(', ')}`)
  const all = [
    ...groups,
    ...(added.length === 0
      ? []
      : [{ group: 'not looked at', legal: false, why: 'has not been looked at', names: added.join(' ') }]),
  ]
  return `[\n${all
    .map(({ group, legal, why, names: text }) => {
      const own = namesOf({ group, legal, why, names: text })
        .filter((name) => names.has(name))
        .sort()
      return `{ group: ${JSON.stringify(group)}, legal: ${legal}, why: ${JSON.stringify(why)}, names: \`\n${lines(own)}\n    \` },`
    })
    .join('\n')}\n]`
}

function lines(names: string[]): string {
  const found: string[] = []
  for (const name of names) {
    const last = found.at(-1)
    if (last === undefined || last.length + name.length > 100) found.push(`      ${name}`)
    else found[found.length - 1] = `${last} ${name}`
  }
  return found.join('\n')
}
