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

/** Take the name of an aggregate as text. */
export const NAMED_IN_TEXT: ReadonlySet<string> = new Set([
  ...['list_aggregate', 'list_aggr', 'array_aggregate', 'array_aggr', 'aggregate'],
])
/** Of these the order of a list's own elements is the result. */
export const LIST_SORTS: ReadonlySet<string> = new Set([
  ...['list_sort', 'array_sort', 'list_reverse_sort', 'array_reverse_sort'],
])
/** Make the lists that those sort. */
export const LISTS: ReadonlySet<string> = new Set(['list', 'array_agg'])
