import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { View } from '../../project/project.ts'
import type { Moment } from '../../project/time/asof.ts'
import { featureCut } from '../cut/cut.ts'
import type { Identity, InputFile } from '../engine/facts.ts'
import { identityOf } from '../features/view-hash.ts'
import { parseAlone } from '../sql/parse-alone.ts'
import { inputFiles } from './admitted.ts'
import { type CutSource, cutSources } from './source-tables.ts'

export interface InputsRequest {
  /** Absolute path of the project. */
  root: string
  view: View
  asOf: Moment
  /** The project's zone. */
  timezone: string
  /** ISO 8601. Default: late enough for everything that may count. */
  knownAt?: string
}

/** A moment of reading that is late enough for everything that may count. */
export const EVER = '9999-01-01T00:00:00Z'

/**
 * The files that a view's partition would be computed from now, and the view's hash: what decides whether a
 * published partition still is current. Reads footers only. Throws as `cutSources` does.
 */
export async function snapshotInputs({
  root,
  view,
  asOf,
  timezone,
  knownAt = EVER,
}: InputsRequest): Promise<{ inputs: InputFile[] } & Identity> {
  const temp = await realpath(await mkdtemp(join(tmpdir(), 'nightshift-inputs-')))
  try {
    const checked = await parseAlone(root, view, timezone, temp)
    const cut = featureCut(asOf, knownAt, timezone)
    const inputs = inputsOf(await cutSources(root, view, cut, { names: checked.tables }))
    return { inputs, ...identityOf(checked, view, timezone) }
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

export function inputsOf(sources: CutSource[]): InputFile[] {
  return sources.flatMap(({ found, admitted }) => inputFiles(found, admitted.files))
}
