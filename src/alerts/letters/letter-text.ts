import type { Item, Letter } from './letter.ts'

/** A letter as plain text. No columns and no rules: phones use a proportional font, 45 characters wide. */
export function letterText(letter: Letter): string {
  const blocks = [
    letter.lead.join('\n'),
    ...letter.sections.map(
      (section) => `${section.title.toUpperCase()}\n${section.items.map(item).join('\n')}`,
    ),
    letter.foot.join('\n'),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function item(it: Item): string {
  switch (it.kind) {
    case 'text':
      return it.text
    case 'point':
      return `- ${it.text}`
    case 'fact':
      return it.link === undefined ? `${it.label}: ${it.text}` : `${it.label}: ${it.text}\n  ${it.link}`
    case 'quote':
      return it.text
        .split('\n')
        .map((line) => `> ${line}`)
        .join('\n')
    case 'picture':
      return it.text
    case 'command':
      return `${it.why}${/[?.]$/.test(it.why) ? '' : ':'}\n  ${it.command}`
    case 'entry':
      return [
        `- ${it.title}`,
        ...it.lines.map((line) => `  ${line}`),
        ...(it.link === undefined ? [] : [`  ${it.link}`]),
      ].join('\n')
  }
}
