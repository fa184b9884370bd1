import type { Engine } from './duckdb.ts'

/**
 * Which of DuckDB's functions a feature may use: those whose answer depends on their arguments alone, not on the
 * moment, the session, chance, or the order in which rows happen to arrive.
 */
export interface FunctionRules {
  /** Why a function is refused, undefined where it is allowed. `name` in lower case. */
  refusal(name: string): string | undefined
}

const NOW = 'depends on when it runs: use $as_of'
const CHANCE = 'differs from run to run: for a stable choice use hash() of a column'
const SESSION = 'depends on the session it runs in: features depend on their sources and $as_of alone'
const ESTIMATE = 'estimates by the order in which rows arrive: use quantile_cont or an exact count'

const CLOCK = [
  ...[
    'now',
    'today',
    'current_date',
    'current_time',
    'current_timestamp',
    'current_localtime',
    'current_localtimestamp',
  ],
  ...[
    'localtime',
    'localtimestamp',
    'get_current_time',
    'get_current_timestamp',
    'transaction_timestamp',
    'ago',
  ],
  ...['pg_conf_load_time', 'pg_postmaster_start_time'],
]
/** What `duckdb_functions()` calls CONSISTENT although it is not, or does not list. */
const ESTIMATES = ['approx_quantile', 'reservoir_quantile', 'approx_top_k']
const SESSIONS = [
  ...[
    'getvariable',
    'current_setting',
    'getenv',
    'version',
    'pg_backend_pid',
    'current_user',
    'session_user',
    'user',
  ],
  ...[
    'current_role',
    'current_catalog',
    'current_schema',
    'current_database',
    'current_schemas',
    'current_query',
  ],
]
const RANDOM = /^(?:random|setseed|uuid.*|gen_random_uuid)$/

/** Names that SQL reads as function calls without parentheses, where no column is called so. */
export const BARE_NAMES: ReadonlySet<string> = new Set([
  ...CLOCK,
  'current_user',
  'session_user',
  'user',
  'current_role',
  'current_catalog',
  'current_schema',
])

/** Aggregates whose answer is decided by the order of the rows, unless ORDER BY stands within. */
export const ORDERED: ReadonlySet<string> = new Set([
  ...[
    'first',
    'last',
    'any_value',
    'arbitrary',
    'mode',
    'list',
    'array_agg',
    'string_agg',
    'group_concat',
    'listagg',
  ],
])
/** The same, as macros that take no ORDER BY. */
export const UNORDERABLE: ReadonlySet<string> = new Set([
  'json_group_array',
  'json_group_object',
  'json_group_structure',
])
/** Of rows that tie these take whichever comes first. */
export const TIED: ReadonlySet<string> = new Set([
  ...['arg_max', 'arg_min', 'argmax', 'argmin', 'max_by', 'min_by', 'arg_max_null', 'arg_min_null'],
  ...['arg_max_nulls_last', 'arg_min_nulls_last'],
])
/** Window functions that mean nothing without ORDER BY. */
export const RANKING: ReadonlySet<string> = new Set([
  ...[
    'row_number',
    'rank',
    'dense_rank',
    'rank_dense',
    'percent_rank',
    'cume_dist',
    'ntile',
    'lag',
    'lead',
    'fill',
  ],
  ...['first_value', 'last_value', 'nth_value', 'first', 'last'],
])
/** Window functions whose answer differs between rows that tie. */
export const TIED_WINDOWS: ReadonlySet<string> = new Set([
  ...['row_number', 'ntile', 'lag', 'lead', 'first_value', 'last_value', 'nth_value', 'first', 'last'],
])

let rules: Promise<FunctionRules> | undefined

/** Asks DuckDB what it says of its own functions (50 ms): once a process, since the answer is the version's. */
export function functionRules(engine: Engine): Promise<FunctionRules> {
  rules ??= load(engine).catch((error: unknown) => {
    rules = undefined
    throw error
  })
  return rules
}

async function load(engine: Engine): Promise<FunctionRules> {
  const rows = await engine.rows(
    `SELECT DISTINCT lower(function_name) AS name, stability, macro_definition AS definition
       FROM duckdb_functions() WHERE stability <> 'CONSISTENT' OR function_type = 'macro'`,
  )
  const reasons = new Map<string, string>()
  for (const { name, stability } of rows) {
    if (stability !== null && stability !== 'CONSISTENT')
      reasons.set(String(name), RANDOM.test(String(name)) ? CHANCE : SESSION)
  }
  for (const name of CLOCK) reasons.set(name, NOW)
  for (const name of SESSIONS) reasons.set(name, SESSION)
  for (const name of ESTIMATES) reasons.set(name, ESTIMATE)
  refuseMacros(rows, reasons)
  return { refusal: (name) => reasons.get(name) }
}

/** A macro is refused with what it is made of; macros call macros, so this goes on until nothing changes. */
function refuseMacros(rows: Record<string, unknown>[], reasons: Map<string, string>): void {
  const macros = rows
    .filter(({ definition }) => typeof definition === 'string')
    .map(({ name, definition }) => ({
      name: String(name),
      words: String(definition).toLowerCase().match(/\w+/g) ?? [],
    }))
  for (let changed = true; changed; ) {
    changed = false
    for (const { name, words } of macros) {
      if (reasons.has(name)) continue
      const word = words.find(
        (each) => each !== name && (reasons.has(each) || /^(?:duckdb|pragma)_/.test(each)),
      )
      if (word === undefined) continue
      reasons.set(name, reasons.get(word) ?? SESSION)
      changed = true
    }
  }
}
