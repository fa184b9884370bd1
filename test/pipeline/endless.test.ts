import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { endless } from './onnx/endless-model.ts'
import { openCase } from './scoring-case.ts'

it('a model that never returns keeps its own thread busy and no other, until its process is killed', async () => {
  const each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
  const program = join(each.folder, 'program.mjs')
  writeFileSync(
    program,
    `import { scorePartition } from ${JSON.stringify(new URL('../../dist/.modules/pipeline/scoring/score-partition.js', import.meta.url).href)}
     setInterval(() => process.stdout.write('tick\\n'), 50)
     await scorePartition(${JSON.stringify(each.request)})
     process.stdout.write('returned\\n')`,
  )
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    let said = ''
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes
    })
    await expect.poll(() => said.split('tick').length, { timeout: 100_000 }).toBeGreaterThan(40)
    expect(said).not.toContain('returned')
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    each.remove()
  }
})
