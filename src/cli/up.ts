import type { GlobalOptions } from '../cli.ts'
import { serve } from './serve.ts'

interface Options extends GlobalOptions {
  port: number
  places?: number
}

export default function up(_args: string[], options: Options): Promise<number> {
  return serve(options, { scheduler: true, worker: true, port: options.port, places: options.places })
}
