import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { connectDuckdb } from '../duckdb.ts'

/** A Python that has these modules; undefined where there is none. */
export function pythonWith(...modules: string[]): string | undefined {
  return ['python3', '/usr/bin/python3'].find(
    (python) => spawnSync(python, ['-c', `import ${modules.join(', ')}`]).status === 0,
  )
}

const READS = `import pandas
try: import pyarrow
except ImportError: pandas.read_parquet = lambda path: pandas.read_csv(path.replace(".parquet", ".csv"))
`

/**
 * Runs a program over a training set and returns what it printed. Where pandas reads no Parquet, as Debian's, it is given the same rows as
 * CSV.
 */
export async function runOverSet(
  python: string,
  program: string,
  set: string,
  args: string[] = [],
): Promise<string> {
  const connection = await connectDuckdb()
  for (const part of ['train', 'holdout'])
    await connection.run(`COPY (FROM '${set}/${part}.parquet') TO '${join(set, part)}.csv'`)
  connection.closeSync()
  return runPython(python, `${READS}${program}`, args)
}

/** Runs a program with arguments and returns what it printed. Throws with its errors where it does not end well. */
function runPython(python: string, program: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(python, ['-c', program, ...args], {
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status !== 0) throw new Error(`it ended with ${status}:\n${stdout}${stderr}\n${program}`)
  return stdout
}
