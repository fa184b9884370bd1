import { describe, expect, it } from 'vitest'
import { countProblems, formatProblems } from '../../../src/project/files/format-problems.ts'
import type { Problem } from '../../../src/project/files/problem.ts'

const problem = (given: Partial<Problem>): Problem => ({
  severity: 'error',
  file: 'nightshift.yaml',
  line: undefined,
  column: undefined,
  message: 'm',
  ...given,
})

describe('problems as text', () => {
  it('are a line each with place, severity and message, and a count', () => {
    const text = formatProblems([
      problem({ line: 3, column: 5, message: 'first\nmore of it' }),
      problem({ severity: 'warning', file: 'models/churn/RUNBOOK.md', message: 'second' }),
      problem({ severity: 'advice', line: 2, message: 'third' }),
    ])
    expect(text).toBe(
      [
        'nightshift.yaml:3:5 error first',
        '    more of it',
        'models/churn/RUNBOOK.md warning second',
        'nightshift.yaml:2 advice third',
        '',
        '1 error, 1 warning, 1 advice',
      ].join('\n'),
    )
  })

  it('say the same in colour', () => {
    const problems = [problem({ line: 1, column: 1 }), problem({ severity: 'warning' })]
    const coloured = formatProblems(problems, { color: true })
    expect(coloured).toContain('\u001b[31merror\u001b[0m')
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
    expect(coloured.replace(escapes, '')).toBe(formatProblems(problems))
  })

  it('are nothing where there are none', () => {
    expect(formatProblems([])).toBe('')
    expect(countProblems([])).toBe('no problems')
    expect(countProblems([problem({}), problem({})])).toBe('2 errors')
  })
})
