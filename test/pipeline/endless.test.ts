import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tensorValue } from '../../src/pipeline/onnx/attribute.ts'
import { ATTRIBUTE, TENSOR } from '../../src/pipeline/onnx/proto.ts'
import { small } from './onnx/small.ts'
import { openCase } from './scoring-case.ts'

/** x as long as true is true. */
const endless = small(
  [tensorValue('x', 'float32', ['n', 1])],
  [tensorValue('y', 'float32', ['n', 1])],
  [
    {
      op_type: 'Constant',
      output: ['on'],
      attribute: [{ name: 'value', type: ATTRIBUTE.tensor, t: { data_type: TENSOR.bool, int32_data: [1] } }],
    },
    {
      op_type: 'Loop',
      input: ['', 'on', 'x'],
      output: ['y'],
      attribute: [
        {
          name: 'body',
          type: ATTRIBUTE.graph,
          g: {
            name: 'body',
            input: [
              tensorValue('turn', 'int64', []),
              tensorValue('on_in', 'bool', []),
              tensorValue('x_in', 'float32', ['n', 1]),
            ],
            output: [tensorValue('on_out', 'bool', []), tensorValue('x_out', 'float32', ['n', 1])],
            node: [
              { op_type: 'Identity', input: ['on_in'], output: ['on_out'] },
              { op_type: 'Identity', input: ['x_in'], output: ['x_out'] },
            ],
          },
        },
      ],
    },
  ],
)

it('a model that never returns keeps its own thread busy and no other, until its process is killed', async () => {
  const each = await openCase({ model: endless, sql: 'SELECT 1 AS id, 0.5::FLOAT AS x' })
  const program = join(each.folder, 'program.mjs')
  writeFileSync(
    program,
    `import { scorePartition } from ${JSON.stringify(new URL('../../dist/pipeline/scoring.js', import.meta.url).href)}
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
    await expect.poll(() => said.split('tick').length, { timeout: 20_000 }).toBeGreaterThan(40)
    expect(said).not.toContain('returned')
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    each.remove()
  }
})
