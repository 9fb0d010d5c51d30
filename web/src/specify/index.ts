import type { DisclosureAudit } from './privacy'

/** A statistical specification, in the form that the service reads: a `stat.json`. */
export interface Specification {
  z: number[][]
  beta: number[]
  gamma: number
  num_points: number
  type: 'RKMETableSpecification'
  v2?: { features?: string[] }
}

/** A `stat.json` that was made before, of any kind: sent as it is. */
export type Given = Record<string, unknown>

/** What a table holds that can be described, and what cannot. */
export interface Table {
  name: string
  rows: number
  columns: Column[]
}

export interface Column {
  name: string
  /** Numbers, NaN where a value is missing; null where they are no numbers. */
  values: Float64Array | null
  missing: number
  /** One value that is no number. */
  example: string
}

export interface Specified {
  specification: Specification
  audit: DisclosureAudit
  /** What is drawn beside the points; it stays in the browser. */
  shown: { points: [number, number][]; records: [number, number][]; axes: [string, string] }
  /** How many values of each feature were filled by its mean. */
  filled: Record<string, number>
}

export type FromWorker =
  | { kind: 'progress'; share: number }
  | { kind: 'done'; result: Specified }
  | { kind: 'failed'; message: string }

export interface ToWorker {
  columns: { name: string; values: Float64Array }[]
  size: number
}

/** Points of a specification where nothing else is asked for. */
export const SIZE = 100

/**
 * Specify columns of a table in a worker: no value of theirs leaves the browser, or even the page.
 *
 * Rejects with an AbortError where the signal aborts.
 */
export function specify(
  columns: { name: string; values: Float64Array }[],
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Specified> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    const end = (settle: () => void) => {
      worker.terminate()
      settle()
    }
    signal.addEventListener('abort', () => end(() => reject(signal.reason as Error)), {
      once: true,
    })
    worker.onerror = (event) => end(() => reject(new Error(event.message)))
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === 'progress') onProgress(data.share)
      else if (data.kind === 'done') end(() => resolve(data.result))
      else end(() => reject(new Error(data.message)))
    }
    worker.postMessage({ columns, size: SIZE } satisfies ToWorker)
  })
}
