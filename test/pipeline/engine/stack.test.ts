import { expect, test } from 'vitest'
import { classify } from '../../../src/pipeline/engine/classify.ts'
import { Failure } from '../../../src/pipeline/engine/failure.ts'
import { keptStack, stackOf } from '../../../src/pipeline/engine/stack.ts'

function atFault(): Error {
  return new TypeError('undefined is not a function')
}

test('a stack trace is of the error itself, not of where it was classified', () => {
  const stack = stackOf(classify(atFault()))
  expect(stack).toMatch(/^TypeError: undefined is not a function\n {4}at atFault /)
  expect(stack).not.toContain('at classify')
})

test('a failure without a cause has its own, and further causes follow', () => {
  expect(stackOf(new Failure('bug', 'broken'))).toMatch(/^(Failure|Error): broken\n {4}at /)
  const outer = new Error('the file cannot be read', { cause: atFault() })
  expect(stackOf(classify(outer))).toMatch(
    /^Error: the file cannot be read\n[\s\S]*\ncaused by: TypeError: undefined is not a function\n {4}at atFault /,
  )
})

test('an error that is its own cause ends', () => {
  const error = new Error('again')
  error.cause = error
  expect(stackOf(classify(error)).split('caused by: ')).toHaveLength(8)
})

test('at most 16 KiB of it are kept, its beginning and its end, without a password of a URL', () => {
  const error = atFault()
  error.stack = `Error: postgres://ann:secret@db/x\n${'    at ä€ (file.ts:1:1)\n'.repeat(2000)}    at last`
  const kept = keptStack(classify(error))
  expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(16 * 1024)
  expect(Buffer.byteLength(kept)).toBeGreaterThan(12 * 1024)
  expect(kept).toMatch(/^Error: postgres:\/\/\*\*\*@db\/x\n/)
  expect(kept).toMatch(/characters left out[\s\S]*at last$/)
  expect(kept).not.toContain('secret')
})
