import { describe, expect, test } from 'vitest'
import { storable } from '../../../src/alerts/incidents/storable-facts.ts'
import { facts } from '../sample.ts'

import { html, incident } from './letter-case.ts'

describe('words from outside', () => {
  test('an error message of 10 MB is cut, and what is left out is counted', () => {
    const message = `first line\n${'x'.repeat(10_000_000)}\nlast line`
    const before = process.cpuUsage()
    const kept = storable(
      facts({
        failure: { class: 'bug', message, anchor: '#bug', evidence: { stack: message, note: message } },
      }),
    )
    const mail = html([incident(kept)])
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000)
    expect(JSON.stringify(kept).length).toBeLessThan(20_000)
    expect(kept.failure.message).toMatch(
      /^first line\nx+\n\[\.\.\. 9,996,021 characters left out \.\.\.\]\nx+\nlast line$/,
    )
    expect(Buffer.byteLength(mail)).toBeLessThan(20_000)
  })

  test('markup is shown, never followed', () => {
    const of = facts({
      description: '<script>alert(1)</script>',
      consumers: ['<img src=x onerror=alert(1)>'],
      baseUrl: 'javascript:alert(1)//',
      failure: {
        class: 'bug',
        message: `</pre><a href="https://evil.example">here</a>`,
        anchor: '"><b>',
        evidence: { '<b>': '\'"&' },
      },
    })
    const page = html([incident(of)])
    expect(page).not.toMatch(/<script|<img|<b>|href="javascript|href="https:\/\/evil/)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  test('NUL, escape sequences, bidirectional overrides, half emojis and passwords do not come through', () => {
    const message =
      'a\u0000b \u001b[31mred\u001b[0m \u202Eevil\u202C \uD83D connect postgres://me:secret@db/x 🌙'
    const kept = storable(
      facts({ failure: { class: 'bug', message, anchor: '#bug', evidence: { deep: { list: [message] } } } }),
    )
    expect(kept.failure.message).toBe('ab red evil \uFFFD connect postgres://***@db/x 🌙')
    expect(JSON.stringify(kept)).not.toMatch(/secret|\\u0000|\\ud83d"/)
  })
})
