import type { Chart } from './chart.ts'

/** Draws an option on the server: the parts of ECharts that the charts use, and no others. */
export type Draw = (option: Chart['option'], size: { width: number; height: number }) => string

let loaded: Promise<Draw> | undefined

/** Loads ECharts with the first chart: it takes 0.2 s or more, which other commands must not pay. */
export function engine(): Promise<Draw> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<Draw> {
  const [core, charts, components, renderers] = await Promise.all([
    import('echarts/core'),
    import('echarts/charts'),
    import('echarts/components'),
    import('echarts/renderers'),
  ])
  core.use([
    charts.BarChart,
    charts.LineChart,
    components.GridComponent,
    components.LegendComponent,
    components.MarkLineComponent,
    components.MarkAreaComponent,
    components.TitleComponent,
    renderers.SVGRenderer,
  ])
  return (option, size) => {
    const instance = core.init(null, null, { renderer: 'svg', ssr: true, ...size })
    try {
      instance.setOption({ animation: false, ...option })
      return instance.renderToSVGString()
    } finally {
      // An instance that is not disposed keeps the process alive.
      instance.dispose()
    }
  }
}
