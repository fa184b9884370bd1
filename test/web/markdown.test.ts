import { expect, test } from 'vitest'
import { runbookSections } from '../../src/project/init/runbook-skeleton.ts'
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

test.each([
  '/\\evil.example',
  '/\\/evil.example',
  '\\\\evil.example',
  '//evil.example',
  '/a\\..\\x',
  'https:\\\\evil.example',
  'https://good.example\\@evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'ftp://evil.example/',
  'http:evil.example',
])('%s is no link', async (href) => {
  expect(await shown(`[x](${href})`)).not.toContain('<a ')
})

test('a link out says nothing of where it was followed from, and one within is as written', async () => {
  expect(await shown('[x](https://example.com/a?b=c&d)')).toBe(
    '<p><a href="https://example.com/a?b=c&amp;d" rel="noreferrer">x</a></p>',
  )
  expect(await shown('[x](/runs/r1) [y](#late-data)')).toBe(
    '<p><a href="/runs/r1">x</a> <a href="#late-data">y</a></p>',
  )
})

test.each([
  ['comments that do not end', '<!--'],
  ['brackets that do not end', '['],
  ['links that do not end', '[a](b'],
  ['signs that do not end', '`'],
  ['stars that do not end', '**a'],
  ['a heading of spaces', ' '],
  ['a heading of signs', '#'],
  ['quotes in quotes', '> '],
])('%s are read in linear time', async (_, part) => {
  const text = `# x${part.repeat(Math.floor(200_000 / part.length))}y`
  const before = process.cpuUsage()
  await shown(text)
  await shown(text.slice(4))
  runbookSections(text)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1e6).toBeLessThan(15)
})
