// Writes docs/states.md from the table of transitions that the program goes by.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AT_REST, type Change, TRANSITIONS } from '../src/ledger/nights/transition-table.ts'

interface Row {
  when: string
  by: string
  slot?: Change<string>
  run?: Change<string>
  records: string
}

const rows: [string, Row][] = Object.entries(TRANSITIONS)

/** A run has few ways; those of a slot are in the table. */
function picture(): string {
  const edges = new Map<string, string[]>()
  for (const [name, { run }] of rows) {
    for (const from of run?.from ?? []) {
      const edge = `${node(from)} --> ${node(run?.to ?? 'none')}`
      edges.set(edge, [...(edges.get(edge) ?? []), name])
    }
  }
  return [...edges].map(([edge, names]) => `  ${edge}: ${names.join(', ')}`).join('\n')
}

function node(state: string): string {
  return state === 'none' ? '[*]' : state
}

function change(of: Change<string> | undefined): string {
  if (of === undefined) return ''
  const from = AT_REST.every((state) => of.from.includes(state)) ? 'at rest' : of.from.map(shown).join(', ')
  return `${from} → ${of.to === 'former' ? 'as it was before' : shown(of.to)}`
}

function shown(state: string): string {
  return state === 'none' ? '(no row)' : `\`${state}\``
}

export function statesPage(): string {
  const table = rows.map(
    ([name, { slot, run, when, by, records }]) =>
      `| ${name} | ${when} | ${by} | ${change(slot)} | ${change(run)} | ${records} |`,
  )
  return `# States of a slot and a run

A slot is an expected (view or model, as-of); a run is one execution of it; an attempt is one try of a run. A slot's
state is that of its latest run; what readers see is the slot's \`published_run\`, which a later failure does not change.

| state of a slot | meaning | who moves it on |
| --- | --- | --- |
| \`expected\` | the calendar has it, or somebody asked for it; \`reason\` says what it waits for | the planner |
| \`queued\` | its next attempt is in the queue, or will be when its backoff is over | a worker |
| \`running\` | an attempt works on it | that attempt; the planner, where its worker no longer names it |
| \`waiting\` | its data is late; \`waits_for\` and \`wait_until\` say what and until when | the planner |
| \`publishing\` | committed, not renamed yet; where that is refused, the incident says by what | the attempt; anyone who reconciles, again and again |
| \`published\` | readers see it | \`run --force\`, a backfill with \`--all\` |
| \`held\` | computed or refused, and not published | a person: \`release\`, \`retry\`, \`skip\` |
| \`failed\` | out of attempts | a person: \`retry\`, \`skip\` |
| \`skipped\` | given up, with a reason | \`run\`, a backfill |

A slot past its deadline that is neither published nor skipped is late, in whatever state it is. No run works on a slot
that is at rest: ${AT_REST.map(shown).join(', ')}.

Which class of failure leads where is decided in one place, \`src/jobs/planning/retry-decision.ts\`.

## The ways of a run

\`\`\`mermaid
stateDiagram-v2
${picture()}
\`\`\`

## Every transition

Written by \`npm run states\` from \`src/ledger/nights/transition-table.ts\`. \`slot-transitions.ts\` and
\`run-transitions.ts\` beside it have one function for each row. Where a slot or a run is in a state that the row does not expect, nothing is
written: the function throws. Of \`wake\`, \`publish\` and \`take back\`, which two processes may do at once, the second does
nothing.

| transition | when | by | slot | run | records |
| --- | --- | --- | --- | --- | --- |
${table.join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync('docs/states.md', statesPage())
