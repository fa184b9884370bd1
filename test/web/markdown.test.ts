import { expect, test } from 'vitest'
import { anchorOf, markdown } from '../../src/web/markdown.ts'

const shown = async (text: string) => (await Promise.all(markdown(text))).map(String).join('\n')

test('what runbooks are written in becomes HTML', async () => {
  const text = `## Late data

First line
goes on, with \`code\` and **weight**.

1. one
   goes on
2. two

- a
- b

> said

\`\`\`sh
nightshift status churn   # look
\`\`\`
`
  expect(await shown(text)).toBe(`<h2 id="late-data">Late data</h2>
<p>First line goes on, with <code>code</code> and <strong>weight</strong>.</p>
<ol><li>one goes on</li><li>two</li></ol>
<ul><li>a</li><li>b</li></ul>
<blockquote>said</blockquote>
<pre tabindex="0"><code>nightshift status churn   # look</code></pre>`)
})

test('nothing that is written becomes an element or an address that runs', async () => {
  const text =
    'a <b onclick=x>, [x](javascript:alert(1)), [y](//evil.example), [z](https://example.com/"><script>)'
  const made = await shown(text)
  expect(made).not.toMatch(/<(?!\/?(?:p|a)\b)/)
  expect(made.match(/href="[^"]*"/g)).toEqual(['href="https://example.com/&quot;&gt;&lt;script&gt;"'])
})

test('a fence that is never closed ends with the text; a comment is not shown', async () => {
  expect(await shown('<!-- hidden -->\n```\nx')).toBe('<pre tabindex="0"><code>x</code></pre>')
})

test('anchors are what mails link to', () => {
  expect(anchorOf('late-data')).toBe('late-data')
  expect(anchorOf('`Late data`')).toBe('late-data')
})
