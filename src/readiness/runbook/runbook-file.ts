import { createHash } from 'node:crypto'
import { join, relative } from 'node:path'
import { readProjectFile } from '../../project/files/project-file.ts'
import type { Model, Project } from '../../project/project.ts'

/** A model's runbook as it lies in the project. */
export interface RunbookFile {
  /** Relative to the project. */
  path: string
  text: string
  sha256: string
}

/** The runbook of a model, or why it cannot be read. */
export function readRunbook(
  project: Pick<Project, 'root'>,
  model: Pick<Model, 'folder'>,
): RunbookFile | string {
  const path = relative(project.root, join(model.folder, 'RUNBOOK.md'))
  const text = readProjectFile(project.root, path)
  if (typeof text !== 'string') return `${path}: ${text.fault}`
  return { path, text, sha256: createHash('sha256').update(text).digest('hex') }
}
