import { expect, test } from 'vitest'
import { mailView } from '../../src/web/mail-view.ts'

/** The head of a PNG of 1200 x 620. */
const PNG = Buffer.concat([
  Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'),
  Buffer.from([0, 0, 4, 176, 0, 0, 2, 108]),
])
const picture = { filename: 'a.png', type: 'image/png', cid: 'a@nightshift', base64: PNG.toString('base64') }
const viewOf = (body: string) =>
  mailView({ html: `<html><body style="margin:0">${body}</body></html>`, attachments: [picture] })

test('a mail keeps its text, its styles and its pictures; the styles are in the sheet', () => {
  const { html, css } = viewOf(
    '<p class="quiet" style="margin:0 0 6px">a &lt;b&gt;<br>c</p><img src="cid:a@nightshift" alt="two bars" style="width:100%;max-width:600px"><h1 style="font-size:20px">d</h1>',
  )
  expect(String(html)).toBe(
    `<div class="mail"><div class="m0 quiet">a &lt;b&gt;<br>c</div><img class="m1" src="data:image/png;base64,${picture.base64}" alt="two bars"><div class="m2">d</div></div>`,
  )
  expect(css.split('\n')).toEqual([
    '.mail .m0{margin:0 0 6px}',
    '.mail .m1{width:100%;max-width:600px}',
    '.mail .m2{font-weight:bold;font-size:20px}',
  ])
})

test('nothing of a mail but text, boxes and its own pictures comes into the page', () => {
  const { html, css } = viewOf(
    '</div></p><script src="https://example.com">1</script><p onclick="x" style="background:url(//example.com)">a</p>' +
      '<p style="color:red}body{display:none">b</p><a href="https://example.com">c</a><img src="https://example.com/x.png"><iframe src="/"><div>d',
  )
  expect(String(html)).not.toMatch(/script|onclick|example|href|src|iframe/)
  expect(css).not.toMatch(/url|body/)
  // What is closed too often or never leaves the page around it whole.
  const text = String(html)
  expect(text.match(/<div/g)?.length).toBe(text.match(/<\/div>/g)?.length)
})
