import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '../../src/ledger/connection/database.ts'
import { describeView } from '../../src/pipeline/features/describe-view.ts'
import { inspectModel } from '../../src/pipeline/onnx/inspect.ts'
import { planMapping } from '../../src/pipeline/onnx/mapping.ts'
import { modelNamed, viewNamed } from '../../src/project/named.ts'
import type { Project } from '../../src/project/project.ts'
import { declarationOf } from '../../src/registry/declaration.ts'
import { register } from '../../src/registry/record-version.ts'

/**
 * Registers a model file as `nightshift register` does, but in this process and without a trial, which an endless model
 * would not pass.
 */
export async function registered(
  database: Database,
  project: Project,
  given: { model: string; view: string; bytes: Uint8Array; inputs?: string[] },
): Promise<number> {
  const { onnx, score } = modelNamed(project, given.model)
  const view = viewNamed(project, given.view)
  const described = await describeView({ root: project.root, view, timezone: project.timezone })
  const columns = described.columns.filter(({ name }) => !view.entity.includes(name))
  const inputs = columns.filter(({ name }) => given.inputs?.includes(name) ?? true)
  const file = join(project.root, 'given.onnx')
  writeFileSync(file, given.bytes)
  const facts = await inspectModel(file)
  const mapping = planMapping(facts, { inputs, onnx, score, fill: view.fill })
  const { version } = await register(database, project.warehouse, {
    model: given.model,
    file,
    facts,
    view: view.name,
    identity: described,
    featuresSql: view.sql,
    columns,
    declaration: declarationOf(view, project.timezone),
    inputs: inputs.map(({ name }) => name),
    output: mapping.output,
    mapping,
    dataset: null,
    warnings: [],
    by: null,
  })
  return version.version
}
