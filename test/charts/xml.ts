export interface Element {
  name: string
  attributes: Record<string, string>
  children: Element[]
  text: string
}

const PART = /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' }

/** Reads XML without doctype, comments and CDATA, as strictly as a browser reads SVG; throws where it is not well-formed. */
export function parseXml(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  PART.lastIndex = 0
  while (PART.lastIndex < xml.length) {
    const at = PART.lastIndex
    const part = PART.exec(xml)
    if (part === null) throw new Error(`not well-formed at ${at}: ${xml.slice(at, at + 60)}`)
    const [, closing, name, attributes = '', selfClosing, text] = part
    const parent = open.at(-1) ?? root
    if (text !== undefined) parent.text += decoded(text)
    else if (closing === '/') {
      if (open.pop()?.name !== name || open.length === 0)
        throw new Error(`</${name}> closes nothing, at ${at}`)
    } else {
      const element: Element = { name: name ?? '', attributes: read(attributes), children: [], text: '' }
      parent.children.push(element)
      if (selfClosing !== '/') open.push(element)
    }
  }
  const [first, ...others] = root.children
  if (open.length !== 1 || first === undefined || others.length > 0)
    throw new Error('expected one element, closed')
  return first
}

function read(attributes: string): Record<string, string> {
  const all = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
    name,
    decoded(value),
  ])
  const names = all.map(([name]) => name)
  if (new Set(names).size !== names.length) throw new Error(`an attribute is there twice: ${attributes}`)
  return Object.fromEntries(all)
}

function decoded(text: string): string {
  const known = text.replace(/&(\w+);/g, (_, name: string) => ENTITIES[name] ?? `&${name};`)
  if (/&(?!\w+;|#)/.test(text)) throw new Error(`a bare ampersand: ${text}`)
  return known
}
