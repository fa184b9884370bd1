import { join, relative, resolve } from 'node:path'
import { Temporal } from 'temporal-polyfill'
import type { GlobalOptions } from '../../cli.ts'
import { initProject } from '../../project/init/init-project.ts'
import { sampleData } from '../../project/init/sample-data.ts'
import { withChild } from '../../workers/child/with-child.ts'
import { printJson, printLine } from '../terminal/print.ts'

export default async function init([dir = '.']: string[], options: GlobalOptions): Promise<number> {
  const root = resolve(dir)
  const today = Temporal.Now.plainDateISO().toString()
  const files = initProject(root, { today })
  const { written } = await withChild(undefined, (children) =>
    children.run('sample', {
      files: sampleData(today).map(({ path, sql }) => ({ path: join(root, path), sql })),
    }),
  )
  files.push(...written.map((path) => relative(root, path)))
  if (options.json) {
    printJson({ root, files })
    return 0
  }
  printLine(`created a project in ${dir}:`)
  for (const file of files) printLine(`  ${file}`)
  printLine('')
  printLine('next:')
  printLine(`  nightshift validate --project ${dir}`)
  printLine(`  nightshift check lapse --project ${dir}    what a model has to show before it goes live`)
  printLine(`  read ${join(dir, 'README.md')}`)
  return 0
}
