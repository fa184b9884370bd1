import { serve } from '../../host/serve.ts'
import type { GlobalOptions } from '../command.ts'

interface Options extends GlobalOptions {
  port: number
  host: string
  places?: number
}

export default function up(_args: string[], options: Options): Promise<number> {
  const { port, host, places } = options
  return serve(options, { scheduler: true, worker: true, web: { port, host }, places })
}
