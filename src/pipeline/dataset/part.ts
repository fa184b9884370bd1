import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { showPath } from '../../project/object-path.ts'
import type { View } from '../../project/project.ts'
import type { AsOf } from '../../project/time/asof.ts'
import { type LabelWindow, labelView } from '../../project/time/label-window.ts'
import type { Column, InputFile, SourceTypes } from '../engine/facts.ts'
import { Failure } from '../engine/failure.ts'
import { computeFeatures } from '../features/compute-features.ts'
import type { DatasetRequest } from './dataset-request.ts'
import type { WantedRows } from './entity-file.ts'
import { joinLabels } from './join-labels.ts'
import { labelsOf } from './labels-of.ts'

/** Features and labels of one as-of, in a file of their own. */
export interface Part {
  window: LabelWindow
  file: string
  rows: number
  /** Rows of the view, of those that are wanted, that have no label. */
  unlabelled: number
  /** Rows that are wanted, of whose entity the view has none at that time. */
  featureless: number
  inputs: InputFile[]
  labelInputs: InputFile[]
}

/** What all parts share. */
export interface Described {
  columns: Column[]
  label: Column
  viewHash: string
  labelHash: string
  /** What was read of each source. */
  sources: SourceTypes
}

export interface Builder {
  part(window: LabelWindow): Promise<Part>
  /** Known once a part is made. */
  facts(): Described & { warnings: string[] }
}

/** Makes the parts of a training set, one after the other, in `temp`. */
export async function openBuilder(
  request: DatasetRequest,
  temp: string,
  { wanted, asOfType }: { wanted: WantedRows | undefined; asOfType: 'DATE' | 'TIMESTAMP' },
): Promise<Builder> {
  const { root, view, timezone, now, threads, memoryLimit } = request
  const spill = join(temp, 'spill')
  // It is there where the task was handed over again, with the objects that it asked for.
  await mkdir(spill, { recursive: true })
  let known: InputFile[] = []
  let described: Described | undefined
  const warnings: string[] = []

  return {
    async part(window) {
      const { asOf } = window
      const out = join(temp, 'features.parquet')
      const features = await computeFeatures({
        root,
        view,
        asOf,
        knownAt: now,
        timezone,
        out,
        temp: spill,
        threads,
        memoryLimit,
        metadata: { view: view.name, as_of: asOf.label },
        known,
        hashed: request.hashed ?? true,
        // Its manifest and id cover what labels.sql reads too.
        sources: 'declared',
      })
      known = features.inputs
      refuseBadEntities(view, asOf, features.checks)
      for (const { message } of features.checks.filter(({ passed }) => !passed))
        warnings.push(`${asOf.label}: ${message}`)
      const labels = join(temp, 'labels.parquet')
      const { label, inputs, hash } = await labelsOf(
        { ...request, view: labelView(view, request), temp },
        window,
        labels,
      )
      const columns = features.file.columns.filter(({ name }) => !view.entity.includes(name))
      refuseClash(request, columns, label)
      refuseOtherColumns(request, asOf, described?.columns ?? columns, columns)
      described = { columns, label, viewHash: features.viewHash, labelHash: hash, sources: features.sources }
      const file = join(temp, `part-${asOf.label}.parquet`)
      const joined = await joinLabels(request, {
        window,
        features: out,
        labels,
        file,
        columns,
        label,
        spill,
        temp,
        wanted,
        asOfType,
      })
      return {
        window,
        file,
        ...joined,
        inputs: [...features.inputs, ...inputs.filter(({ source }) => view.sources[source] === undefined)],
        labelInputs: inputs,
      }
    },
    facts() {
      if (described === undefined) throw new Failure('bug', 'expected at least one as-of')
      return { ...described, warnings }
    },
  }
}

function refuseClash({ root, labels, view }: DatasetRequest, columns: Column[], label: Column): void {
  if (columns.some(({ name }) => name.toLowerCase() === 'as_of')) {
    throw new Failure(
      'contract',
      `view ${view.name} has a column as_of, a name reserved in training sets: rename it`,
    )
  }
  const taken = [...columns.map(({ name }) => name), ...view.entity, 'as_of'].map((name) =>
    name.toLowerCase(),
  )
  if (!taken.includes(label.name.toLowerCase())) return
  throw new Failure(
    'contract',
    `${showPath(root, labels.sqlFile)}: expected the label to have a unique name, got: ${label.name}, which the view also has; rename it`,
  )
}

/** Parts are read as one table, in which a wider type would be cut to the first one's. */
function refuseOtherColumns({ view }: DatasetRequest, asOf: AsOf, first: Column[], columns: Column[]): void {
  const other = columns.find(
    ({ name, type }, index) => first[index]?.name !== name || first[index]?.type !== type,
  )
  if (other === undefined && first.length === columns.length) return
  const list = (all: Column[]) => all.map(({ name, type }) => `${name} ${type}`).join(', ')
  throw new Failure(
    'contract',
    `view ${view.name}: expected the columns of every as-of to be ${list(first)}, as in the first; got as of ${asOf.label}: ${list(columns)}. Cast them in features.sql`,
  )
}

function refuseBadEntities(
  { entity }: View,
  { label }: AsOf,
  checks: { kind: string; passed: boolean; message: string }[],
): void {
  const bad = checks.find(({ kind, passed }) => !passed && kind.startsWith('entity.'))
  if (bad === undefined) return
  throw new Failure(
    'contract',
    `as of ${label} the features do not have one row for each ${entity.join(', ')}:  ${bad.message}`,
  )
}
