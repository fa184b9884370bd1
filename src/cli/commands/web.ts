import { serve } from '../../host/serve.ts'
import type { GlobalOptions } from '../command.ts'

interface Options extends GlobalOptions {
  port: number
  host: string
}

export default function web(_args: string[], options: Options): Promise<number> {
  const { port, host } = options
  return serve(options, { scheduler: false, worker: false, web: { port, host }, places: undefined })
}
