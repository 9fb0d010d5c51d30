import type { FromWorker, ToWorker } from './index'
import { specified } from './specified'

const tell = (message: FromWorker) => postMessage(message)
let told = 0

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  try {
    const progress = (share: number) => {
      const now = performance.now()
      if (now - told < 50 && share < 1) return
      told = now
      tell({ kind: 'progress', share })
    }
    tell({ kind: 'done', result: specified(data.columns, data.size, progress) })
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  }
})
