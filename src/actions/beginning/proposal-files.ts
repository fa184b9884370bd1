import { stringify } from 'yaml'
import type { Guess } from '../../pipeline/beginning/guess.ts'
import type { Proposal } from '../../pipeline/beginning/propose-sources.ts'
import type { ColumnLook, TableLook } from '../../pipeline/beginning/table-look.ts'
import { plainClass } from '../../pipeline/onnx/choose-class.ts'
import type { ModelFacts, ModelOutput } from '../../pipeline/onnx/inspect.ts'
import { runbookSkeleton } from '../../project/init/runbook-skeleton.ts'
import type { FirstFeatures } from './first-features.ts'
import type { FirstLabels } from './first-labels.ts'
import { declaredSource } from './first-sources.ts'

const OWNER = 'you@example.com'
const ON_CALL = 'oncall@example.com'

/** view.yaml; `features` are those that were computed once, for what is expected of them. */
export function viewFile(
  root: string,
  view: string,
  { tables, entity, guesses }: Proposal,
  {
    features,
    nullable,
    fresh,
  }: {
    features: Pick<TableLook, 'rows' | 'columns'> | undefined
    nullable: string[]
    fresh: Record<string, string>
  },
): string {
  const used = tables.filter(({ name }) => entity.in[name] !== undefined)
  const sources = used
    .map((table) => {
      const words = table.guesses.map((guess) => comment(guessText(guess), '  ')).join('')
      return `${words}${indented(yaml({ [table.name]: declaredSource(root, table) }))}`
    })
    .join('')
  const [first] = guesses
  const expected = features === undefined ? {} : expectations(features.columns, entity.columns, nullable)
  const rows = features === undefined ? {} : { rows: { min: Math.floor(features.rows / 2), max_change: 0.2 } }
  const expect = { ...rows, ...(Object.keys(fresh).length === 0 ? {} : { fresh }) }
  return `# yaml-language-server: $schema=../../schemas/view.schema.json
# Proposed by init from what the data looked like: correct what is wrong. Nightshift's docs/sources.md explains each kind.

view: ${view}
${first === undefined ? '' : comment(guessText(first))}${yaml({ entity: entity.columns.length === 1 ? entity.columns[0] : entity.columns })}owner: ${OWNER}

sources:
${sources}
# Expectations, from the features of one night: a night that fails one is held, not published.
${flow('columns', expected)}
# Rows against the nights of the week before; how old the newest row of a source may be at the as-of.
${flow('expect', expect)}`
}

/** What is expected of a feature, by what it was once: no less than zero, the same values, no nulls where there can be none. */
function expectations(columns: ColumnLook[], entity: string[], nullable: string[]): Record<string, unknown> {
  return Object.fromEntries(
    columns.flatMap(({ name, type, min, nulls, values }) => {
      if (entity.includes(name)) return []
      const isNumber = /^(?:FLOAT|DOUBLE|.*INT.*|DECIMAL.*)$/.test(type)
      const bounds = {
        ...(isNumber && min !== null && Number(min) >= 0 ? { min: 0 } : {}),
        ...(type === 'VARCHAR' && values !== undefined && values.length > 0
          ? { values: values.map(({ value }) => value).sort() }
          : {}),
        ...(nulls === 0 && !nullable.includes(name) ? { max_null_rate: 0 } : {}),
      }
      return Object.keys(bounds).length === 0 ? [] : [[name, bounds]]
    }),
  )
}

/** model.yaml. */
export function modelFile(
  name: string,
  view: string,
  {
    facts,
    features,
    labels,
  }: { facts: ModelFacts | undefined; features: FirstFeatures; labels: FirstLabels | undefined },
): string {
  const isClass = labels?.isClass ?? facts?.outputs.some(({ classes }) => classes?.length === 2) ?? false
  const score = {
    column: `${name.replaceAll('-', '_')}_score`,
    ...(isClass ? { min: 0, max: 1, threshold: 0.5 } : {}),
  }
  const inputs =
    features.inputs === undefined
      ? `# The columns that the ONNX file takes, in its order. Default: every column but the entity, in the order of features.sql.\n# inputs: [${features.names.slice(0, 3).join(', ')}]\n`
      : `inputs: ${inline(features.inputs)}\n`
  return `# yaml-language-server: $schema=../../schemas/model.schema.json
# Proposed by init. Who is mailed, what a version must reach before it goes live: yours to say.

model: ${name}
description: What a score of ${name} means, in one line
owner: ${OWNER}
on_call: [${ON_CALL}]

view: ${view}
${inputs}
${classText(facts)}score: ${inline(score)}

${
  labels === undefined
    ? '# What really happened, for training sets, evaluation and outcomes:\n# labels: { sql: labels.sql, horizon: 30d }\n'
    : `${comment(guessText(labels.guess))}labels: { sql: labels.sql, horizon: ${labels.horizon} }\n`
}
# A version that does not reach this on its holdout cannot be promoted without a recorded override.
# evaluation: { require: { auc: { min: 0.7, max_drop: 0.01 } } }
`
}

function classText(facts: ModelFacts | undefined): string {
  const output = facts?.outputs.find(({ classes }) => classes?.length === 2)
  if (output === undefined)
    return '# The output that holds the score is inferred if it is unambiguous; else name it:\n# onnx: { output: probabilities, class: 1 }\n'
  const [first, second] = output.classes ?? []
  const inferred = inferredClass(output)
  if (inferred !== undefined)
    return `# The score is the probability of class ${inferred}, which the file leaves no doubt about.\n`
  return `# The file has the classes ${first} and ${second}: say which one the score is the probability of, or register refuses it.\n# onnx: { class: ${JSON.stringify(String(second))} }\n`
}

/** The label whose probability is the score, where that leaves no doubt. */
export function inferredClass({ classes }: Pick<ModelOutput, 'classes'>): string | number | undefined {
  const index = plainClass(classes)
  return index === undefined ? undefined : classes?.[index]
}

export function scheduleFile(model: string): string {
  return `# yaml-language-server: $schema=../schemas/schedule.schema.json
# When which models are scored. The as-of of a tick is the midnight that begins its day.

schedule: nightly
cron: "0 4 * * *"
score: [${model}]
deadline: "07:00"
timeout: 30m
retry: { attempts: 3, backoff: 30s, wait_for_data: 1h }
`
}

export function runbookFile(model: string, view: string): string {
  return runbookSkeleton({ name: model, description: '', owner: OWNER, on_call: [ON_CALL], view })
}

/** README.md: what was guessed, what was left out, what comes next. */
export function readmeFile(project: string, guesses: Guess[], leftOut: string[], next: string[]): string {
  const row = ({ sure, what, why, other }: Guess) => `| ${[sure, what, why, other].map(cell).join(' | ')} |`
  return `# ${project}

Proposed by \`nightshift init --data\` from what the data looked like. Nothing was asked: read what was guessed, correct it, and delete
this table.

| how sure | guess | because | if it is wrong |
| --- | --- | --- | --- |
${guesses.map(row).join('\n')}

${leftOut.length === 0 ? '' : `No features were made of:\n\n${leftOut.map((each) => `- ${each}`).join('\n')}\n\n`}## Next

\`\`\`sh
${next.join('\n')}
\`\`\`
`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** One line, as a comment of a file and on a terminal. */
export function guessText({ sure, what, why, other }: Guess): string {
  return `${sure}: ${what} (${why})${other === '' ? '' : `; else: ${other}`}`
}

function yaml(value: Record<string, unknown>): string {
  return stringify(value, { lineWidth: 0, flowCollectionPadding: true })
}

/** A map with an entry on each line. */
function flow(key: string, entries: Record<string, unknown>): string {
  const names = Object.entries(entries)
  if (names.length === 0) return `${key}: {}\n`
  return `${key}:\n${names.map(([name, value]) => `  ${inline(name)}: ${inline(value)}\n`).join('')}`
}

function inline(value: unknown): string {
  return stringify(value, { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: true }).trim()
}

/** A comment of YAML, in lines of about 110 characters. */
function comment(text: string, indent = ''): string {
  const lines = text.match(/.{1,110}(?:\s|$)/g) ?? [text]
  return lines.map((line) => `${indent}# ${line.trimEnd()}\n`).join('')
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
