/**
 * Colours of the charts. An option names a colour by a placeholder; when it is drawn, the placeholder becomes a
 * custom property of src/web/style/charts.css (pages: one SVG for light and dark) or the colour itself (mails). Each
 * pair has 3:1 at least against its paper.
 */
export const COLOURS = {
  paper: ['#ffffff', '#171d2a'],
  ink: ['#1d2229', '#e8ebf0'],
  quiet: ['#5b6470', '#9aa5b4'],
  line: ['#dfe3e8', '#313843'],
  reference: ['#7d8794', '#8b96a6'],
  fill: ['#c9ced5', '#465061'],
  tonight: ['#1f5fbf', '#6ea8ff'],
  band: ['#1f5fbf', '#6ea8ff'],
  estimate: ['#a3570a', '#f0a857'],
  good: ['#1a7f45', '#5fc98a'],
  warning: ['#b26a00', '#f2b04c'],
  alert: ['#c22f23', '#ff7b6e'],
  mark: ['#6a3fb5', '#b99cff'],
} as const satisfies Record<string, [light: string, dark: string]>

export type Colour = keyof typeof COLOURS
export type Theme = 'page' | 'light' | 'dark'

const NAMES = Object.keys(COLOURS) as Colour[]
const PLACEHOLDER = /#00fe([0-9a-f]{2})/gi

/** The placeholder of a colour. */
export function colour(name: Colour): string {
  return `#00fe${NAMES.indexOf(name).toString(16).padStart(2, '0')}`
}

/** Replaces placeholders by colours. */
export function painted(svg: string, theme: Theme): string {
  return svg.replace(PLACEHOLDER, (placeholder, index: string) => {
    const name = NAMES[Number.parseInt(index, 16)]
    return name === undefined ? placeholder : paint(name, theme)
  })
}

/** A colour as the value of an SVG attribute. */
export function paint(name: Colour, theme: Theme): string {
  const [light, dark] = COLOURS[name]
  switch (theme) {
    case 'page':
      return `var(--chart-${name},${light})`
    case 'light':
      return light
    case 'dark':
      return dark
  }
}
