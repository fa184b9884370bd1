import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Chart } from './chart.ts'
import { painted, type Theme } from './colours.ts'
import { engine } from './engine.ts'
import { escaped } from './escape.ts'
import { remembered } from './memory.ts'

/** Of the bundled fonts the one that is as wide as what ECharts reckons with. */
const FONT = 'DejaVu Sans Condensed'
const FONT_FILES = ['DejaVuSansCondensed.ttf', 'DejaVuSansCondensed-Bold.ttf']
const PAGE_FONT = 'system-ui, sans-serif'

/**
 * An `<svg>` of its own size that scales down, with its title and description for screen readers. `page` draws with
 * the custom properties of the pages, so that one SVG serves light and dark. The same chart is drawn once.
 */
export async function renderSvg(
  chart: Chart,
  { width, theme, height = chart.height }: { width: number; theme: Theme; height?: number },
): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([chart, width, height, theme]))
    .digest('hex')
  return remembered(key, async () => {
    const draw = await engine()
    const drawn = draw(chart.option, { width, height })
    return painted(embedded(drawn, chart, `c${key.slice(0, 10)}`), theme)
  })
}

/** The same picture as PNG on white, for mails, at twice the pixels, drawn in a thread. The bundled font draws its text. */
export async function renderPng(chart: Chart, { width }: { width: number }): Promise<Buffer> {
  const [{ renderAsync }, svg] = await Promise.all([
    import('@resvg/resvg-js'),
    renderSvg(chart, { width, theme: 'light' }),
  ])
  const drawn = await renderAsync(svg, {
    background: '#ffffff',
    fitTo: { mode: 'width', value: width * 2 },
    font: { fontFiles: fontFiles(), loadSystemFonts: false, defaultFontFamily: FONT },
  })
  return drawn.asPng()
}

/** Absolute paths of the bundled fonts. */
export function fontFiles(): string[] {
  const folder = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'))
  return FONT_FILES.map((file) => join(folder, 'ttf', file))
}

/**
 * What ECharts draws, fit to stand in a page: ids that no other chart there has, text styled by attributes instead of
 * `style`, no interaction, and a description for screen readers.
 */
function embedded(svg: string, chart: Chart, id: string): string {
  const words = `${chart.title}: ${chart.description}`
  return svg
    .replace(/<style[\s\S]*?<\/style>\s*/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_[a-z_]+)="[^"]*"/g, '')
    .replace(/ style="([^"]*)"/g, (_, style: string) => attributes(style))
    .replace(/zr\d+-/g, () => `${id}-`)
    .replace(
      /^<svg [^>]*?viewBox="([^"]*)"[^>]*>/,
      (_, box: string) =>
        `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="${box}" width="${box.split(' ')[2]}" role="img" aria-label="${escaped(words)}" font-family="${FONT}, ${PAGE_FONT}"><title>${escaped(chart.title)}</title>`,
    )
    .replaceAll('></path>', '/>')
    .replaceAll('></rect>', '/>')
}

function attributes(style: string): string {
  return style
    .split(';')
    .flatMap((declaration) => {
      const [name = '', value = ''] = declaration.split(':').map((part) => part.trim())
      // One font family for the whole chart, set at its root.
      return name === '' || name === 'font-family' ? [] : [` ${name}="${value}"`]
    })
    .join('')
}
