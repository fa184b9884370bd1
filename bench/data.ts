import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { madeBy, replaceFolder } from '../fixtures/folder.ts'
import { benchModel } from './model.ts'

/** The as-of of all rounds: 90 days of events lie before it, with the change of clocks of 2026-10-25 among them. */
export const AS_OF = '2026-11-22'
const LAST_DAY = Date.parse(`${AS_OF}T00:00:00Z`) / 86_400_000 - 1
const DAYS = 90

export interface BenchProject {
  customers: number
  /** Absolute path of a nightshift project with its data. */
  root: string
  /** Absolute path of the model. */
  model: string
}

/** A project of so many customers below `folder`, with so many days of events; data that is there already is kept. */
export async function benchProject(
  folder: string,
  customers: number,
  { days = DAYS }: { days?: number } = {},
): Promise<BenchProject> {
  const root = join(folder, String(customers))
  mkdirSync(root, { recursive: true })
  for (const part of ['features', 'models']) rmSync(join(root, part), { recursive: true, force: true })
  cpSync(fileURLToPath(new URL('./project', import.meta.url)), root, { recursive: true })
  const model = join(root, 'scored.onnx')
  writeFileSync(model, benchModel())
  await writeEvents(join(root, 'data'), customers, days)
  return { customers, root, model }
}

async function writeEvents(folder: string, customers: number, days: number): Promise<void> {
  const sql = readFileSync(new URL('./events.sql', import.meta.url), 'utf8')
  const made = { customers, days, until: AS_OF, sql }
  if (existsSync(folder) && JSON.stringify(madeBy(folder)) === JSON.stringify(made)) return
  await replaceFolder(folder, made, async (fresh) => {
    const instance = await DuckDBInstance.create(':memory:')
    const db = await instance.connect()
    try {
      for (let day = LAST_DAY - days + 1; day <= LAST_DAY; day++) {
        const date = new Date(day * 86_400_000).toISOString().slice(0, 10)
        await db.run(`SET VARIABLE customers = ${customers}; SET VARIABLE day = ${day}::INTEGER`)
        await db.run(
          `COPY (${sql}) TO '${join(fresh, `${date}.parquet`).replaceAll("'", "''")}' (FORMAT parquet)`,
        )
      }
    } finally {
      db.closeSync()
      instance.closeSync()
    }
  })
}
