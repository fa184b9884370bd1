import { join, relative, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import type { GlobalOptions } from '../../cli.ts'
import { initProject } from '../../project/init/init-project.ts'
import { sampleData } from '../../project/init/sample-data.ts'
import { openChildren } from '../../workers/child/children.ts'
import { printJson, printLine } from '../terminal/print.ts'

export default async function init([dir = '.']: string[], options: GlobalOptions): Promise<number> {
  const root = resolve(dir)
  const today = Temporal.Now.plainDateISO().toString()
  const files = initProject(root, { today })
  const children = openChildren({ places: 1 })
  try {
    const { written } = await children.run('sample', {
      files: sampleData(today).map(({ path, sql }) => ({ path: join(root, path), sql })),
    })
    files.push(...written.map((path) => relative(root, path)))
  } finally {
    await children.close()
  }
  if (options.json) {
    printJson({ root, files })
    return 0
  }
  printLine(`created a project in ${dir}:`)
  for (const file of files) printLine(`  ${file}`)
  printLine('')
  printLine('next:')
  printLine(`  nightshift validate --project ${dir}`)
  printLine(`  read ${join(dir, 'README.md')}`)
  return 0
}
