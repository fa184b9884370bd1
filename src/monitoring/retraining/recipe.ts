import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Model } from '../../project/project.ts'

/** A larger file is data or a program; of it, size and time stand for the content. */
const LARGEST = 1 << 20
/** What of these matters to a retraining is hashed by itself, or does not matter to it. */
const APART = ['model.yaml', 'labels.sql', 'RUNBOOK.md', 'node_modules', '__pycache__']

/**
 * What decides what a retraining makes beside the data: the command, its variables, its choice of nights, the labels, the
 * inputs, and the files in the model's folder. A dry run stands for this alone.
 */
export function recipeOf({ retrain, folder, labels, inputs }: Model): string | undefined {
  if (retrain === undefined) return undefined
  const { command, env, dataset } = retrain
  const hash = createHash('sha256')
  hash.update(
    JSON.stringify([command, env, dataset, labels?.sql, labels?.horizon.text, labels?.lag.text, inputs]),
  )
  for (const path of filesIn(folder)) {
    const stat = statSync(path)
    hash.update(`\0${path.slice(folder.length)}\0`)
    hash.update(stat.size > LARGEST ? `${stat.size} ${stat.mtimeMs}` : readFileSync(path))
  }
  return hash.digest('hex')
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && !APART.includes(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesIn(path)
      return entry.isFile() ? [path] : []
    })
}
