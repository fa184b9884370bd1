import type { ParityFacts } from '../../pipeline/parity/parity-facts.ts'

/** The result in one sentence. */
export function describeParity(facts: ParityFacts): string {
  const { values, differing, rounding, late, cause } = facts
  if (differing === 0 && late === 0) {
    return `${values} values, 0 differing${rounding === 0 ? '' : `, ${rounding} by rounding alone`}`
  }
  const columns = facts.by_column.filter((column) => column.differing > 0).map(({ column }) => column)
  const named =
    columns.length === 0 ? '' : ` (${columns.slice(0, 5).join(', ')}${columns.length > 5 ? ', ...' : ''})`
  const why = {
    logic: 'the view’s definition has changed since',
    type: `columns have different types or are missing: ${[...facts.types.map((type) => `${type.column} was ${type.published}, is ${type.other}`), ...facts.missing_columns.map((name) => `${name} is missing`), ...facts.more_columns.map((name) => `${name} is new`)].join('; ')}`,
    late: `rows arrived late: ${facts.changed_files.slice(0, 3).join(', ')}`,
    values: 'the same definition and files give different values',
    file: describeForeign(facts),
  }
  // The columns are those of what differs, or else of what came late.
  const [ofDiffering, ofLate] = differing > 0 ? [named, ''] : ['', named]
  return `${values} values, ${differing} differing${ofDiffering}${late > 0 ? `, ${late} late${ofLate}` : ''}${cause === null ? '' : `: ${why[cause]}`}`
}

/** How a foreign file differs; its inputs and definition are unknown. */
function describeForeign({ by_column, only_published, only_other }: ParityFacts): string {
  const parts = [
    by_column.some(({ differing }) => differing > 0)
      ? 'values in the file differ from the published ones'
      : '',
    only_published > 0 ? `${only_published} published entities are not in the file` : '',
    only_other > 0 ? `${only_other} entities of the file were not published` : '',
  ]
  return parts.filter((text) => text !== '').join('; ')
}

/** What an incident keeps of a comparison. */
export function evidenceOf(facts: ParityFacts): Record<string, unknown> {
  return {
    cause: facts.cause,
    values: facts.values,
    differing: facts.differing,
    largest_difference: facts.largest_difference,
    columns: facts.by_column
      .filter((column) => column.differing > 0)
      .slice(0, 5)
      .map(({ column, differing, examples }) => ({
        column,
        differing,
        example:
          examples[0] === undefined
            ? 'none'
            : `${examples[0].entity}: ${examples[0].published} published, ${examples[0].other} now`,
      })),
  }
}
