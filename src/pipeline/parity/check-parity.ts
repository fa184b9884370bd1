import { link, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { featureCut } from '../cut/cut.ts'
import type { InputFile } from '../engine/facts.ts'
import { parquet } from '../engine/quote.ts'
import { computeFeatures } from '../features/compute-features.ts'
import { inputsOf } from '../sources/input-files.ts'
import { cutSources } from '../sources/source-tables.ts'
import { parseAlone } from '../sql/parse-alone.ts'
import { type ComparedColumn, compare } from './compare.ts'
import { againstDataset } from './dataset-parity.ts'
import { againstFile } from './file-parity.ts'
import { factsOf, type ParityFacts, type ParityRequest } from './parity-facts.ts'
import { castTo, columnsOf, withEngine } from './parity-sides.ts'

/**
 * Compares a published partition of features value by value with what the training path gives. Throws Failures:
 * `contract` where the other side cannot be read, and as `computeFeatures` does.
 */
export async function checkParity(request: ParityRequest): Promise<ParityFacts> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-parity-')))
  try {
    const pinned = join(temp, 'published.parquet')
    // A refresh may replace the partition meanwhile; where links fail (another disk) its path has to do.
    const published = await link(request.published.file, pinned).then(
      () => pinned,
      () => request.published.file,
    )
    switch (request.against.kind) {
      case 'recomputed':
        return await againstRecomputed(request, published, temp)
      case 'dataset':
        return await againstDataset(request, request.against, published, temp)
      case 'file':
        return await againstFile(request, request.against, published, temp)
    }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

async function againstRecomputed(
  given: ParityRequest,
  published: string,
  temp: string,
): Promise<ParityFacts> {
  const { tables } = await parseAlone(given.root, given.view, given.timezone, temp)
  // Older runs have recorded sources too that features.sql does not read.
  const inputs = given.published.inputs.filter(({ source }) => tables.includes(source))
  const request = { ...given, published: { ...given.published, inputs } }
  const now = await recompute(request, temp, 'now', undefined)
  const facts = await compareFiles(request, published, now, temp)
  if (facts.differing === 0 || now.viewHash !== request.published.viewHash) return facts
  if (facts.changed_files.length === 0 || facts.types.length > 0) return facts
  // The definition is the same, and files have changed. Where what was read is still there, it alone decides.
  const { before, intact } = await lookAtInputs(request, tables)
  if (!intact) {
    const notes = [
      ...facts.notes,
      'what the run read no longer exists, so that late rows cannot be distinguished from others',
    ]
    return { ...facts, differing: 0, late: facts.differing, cause: 'late', notes }
  }
  const then = await recompute(request, temp, 'then', before)
  const logic = await compareFiles(request, published, then, temp)
  const late = Math.max(0, facts.differing - logic.differing)
  return { ...facts, differing: logic.differing, late, cause: logic.differing > 0 ? logic.cause : 'late' }
}

interface Recomputed {
  file: string
  viewHash: string
  inputs: InputFile[]
}

async function recompute(
  { root, view, asOf, timezone, published, threads }: ParityRequest,
  temp: string,
  name: string,
  only: InputFile[] | undefined,
): Promise<Recomputed> {
  const out = join(temp, `${name}.parquet`)
  const facts = await computeFeatures({
    root,
    view,
    asOf,
    knownAt: published.knownAt,
    timezone,
    out,
    temp,
    threads,
    metadata: { view: view.name, as_of: asOf.label },
    only,
    hashed: false,
  })
  // A definition that has not changed since an earlier build is the same under both of its names.
  const isFormer = facts.formerHash === published.viewHash && !facts.movedDates
  const viewHash = isFormer ? published.viewHash : facts.viewHash
  return { file: facts.file.path, viewHash, inputs: facts.inputs }
}

/** The run's own inputs, and whether each of them is there as it was. */
async function lookAtInputs(
  { root, view, asOf, timezone, published }: ParityRequest,
  names: string[],
): Promise<{ before: InputFile[]; intact: boolean }> {
  const cut = featureCut(asOf, published.knownAt, timezone)
  const now = inputsOf(await cutSources(root, view, cut, { names }))
  const same = new Set(now.map(fileText))
  return { before: published.inputs, intact: published.inputs.every((input) => same.has(fileText(input))) }
}

function fileText({ source, path, size, modified }: InputFile): string {
  return [source, path, size, modified].join('\n')
}

function changedFiles(before: InputFile[], now: InputFile[]): string[] {
  const [old, current] = [new Set(before.map(fileText)), new Set(now.map(fileText))]
  const paths = (inputs: InputFile[]) => new Set(inputs.map(({ path }) => path))
  const [oldPaths, currentPaths] = [paths(before), paths(now)]
  return [
    ...now
      .filter((input) => !old.has(fileText(input)))
      .map(({ path }) => `${path} ${oldPaths.has(path) ? 'has changed' : 'is new'}`),
    ...before
      .filter((input) => !current.has(fileText(input)) && !currentPaths.has(input.path))
      .map(({ path }) => `${path} is gone`),
  ]
}

async function compareFiles(
  request: ParityRequest,
  published: string,
  other: Recomputed,
  temp: string,
): Promise<ParityFacts> {
  return withEngine([published, other.file], temp, request.threads, async (engine) => {
    const { entity } = request.view
    const [left, right] = [parquet(await realpath(published)), parquet(await realpath(other.file))]
    const [columns, others] = [await columnsOf(engine, left), await columnsOf(engine, right)]
    const own = columns.filter(({ name }) => !entity.includes(name))
    const pairs = own.map((column) => ({ column, other: others.find(({ name }) => name === column.name) }))
    const types = pairs.flatMap(({ column, other: found }) =>
      found === undefined || found.type === column.type
        ? []
        : [{ column: column.name, published: column.type, other: found.type }],
    )
    const compared = pairs.flatMap(({ column, other: found }): ComparedColumn[] =>
      found === undefined ? [] : [castTo(column, found)],
    )
    const comparison = await compare({ engine, left, right, entity, columns: compared })
    return factsOf(request, {
      against: 'recomputed',
      own,
      comparison,
      types,
      missing: pairs.filter((pair) => pair.other === undefined).map(({ column }) => column.name),
      more: others.map(({ name }) => name).filter((name) => !columns.some((column) => column.name === name)),
      hash: other.viewHash,
      changed: changedFiles(request.published.inputs, other.inputs),
      strictTypes: true,
    })
  })
}
