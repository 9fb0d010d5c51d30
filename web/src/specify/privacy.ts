import type { Lanes } from './lanes'
import type { Records } from './matrix'
import type { Random } from './random'
import type { StandardSpace } from './standard'

/** A point nearer to a record than this, in standard deviations, shows that record. */
export const CLOSE = 0.02
/** A place or a weight shared by this many records tells about none of them in particular. */
export const CROWD = 5
/** Steps that are tried to move a point off a record. */
const STEPS = 64

/** What publishing a specification would tell about the records behind it (ALGORITHMS §1.4). */
export interface DisclosureAudit {
  points: number
  /** Share of the points that are close to any record. */
  close: number
  /** Share of the points that are close to one to four records. */
  disclosed: number
  /** Smallest distance between a point and a record, in standard deviations. */
  nearest: number
  /** Records that the lightest point stands for. */
  smallestCluster: number
}

export function isClean(audit: DisclosureAudit): boolean {
  return audit.disclosed === 0 && audit.smallestCluster >= CROWD * (1 - 1e-6)
}

/** Of each point: how far its nearest record is, and how many records are close. */
export function neighbourhood(points: Records, records: Lanes) {
  const { columns: d } = points
  const { nearest, close } = records.neighbours(points, d * CLOSE * CLOSE)
  return { distance: nearest.map((squared) => Math.sqrt(squared / d)), close }
}

function singledOut(close: number): boolean {
  return close > 0 && close < CROWD
}

export function audit(points: Records, weights: Float64Array, records: Lanes): DisclosureAudit {
  const { distance, close } = neighbourhood(points, records)
  const share = (which: (count: number) => boolean) => [...close].filter(which).length / points.rows
  return {
    points: points.rows,
    close: share((count) => count > 0),
    disclosed: share(singledOut),
    nearest: Math.min(...distance),
    smallestCluster: Math.min(...weights) * records.rows,
  }
}

/**
 * Standardised points of which none singles out a record.
 *
 * A point that does is moved by the smallest of many random steps that brings it clear of records,
 * or into a crowd of them; one with no such place nearby is left out.
 */
export function pushOff(
  given: Records,
  records: Lanes,
  space: StandardSpace,
  random: Random,
): Records {
  const points = space.asPublished(given)
  const d = points.columns
  const { close } = neighbourhood(points, records)
  const kept: number[] = []
  for (let i = 0; i < points.rows; i++) {
    if (!singledOut(close[i] as number)) {
      kept.push(i)
      continue
    }
    const tried = space.asPublished(
      steps(points.values.subarray(i * d, (i + 1) * d), space, random),
    )
    const clear = neighbourhood(tried, records).close.findIndex((count) => !singledOut(count))
    if (clear < 0) continue
    points.values.set(tried.values.subarray(clear * d, (clear + 1) * d), i * d)
    kept.push(i)
  }
  const values = new Float32Array(kept.length * d)
  kept.forEach((i, at) => {
    values.set(points.values.subarray(i * d, (i + 1) * d), at * d)
  })
  return { values, rows: kept.length, columns: d }
}

/** Steps in random directions, from twice CLOSE to half a standard deviation. */
function steps(from: Float32Array, space: StandardSpace, random: Random): Records {
  const d = from.length
  const values = new Float32Array(STEPS * d)
  for (let step = 0; step < STEPS; step++) {
    const direction = Float64Array.from(
      { length: d },
      (_, j) => random.normal() * (space.varying[j] as number),
    )
    const size = Math.sqrt(direction.reduce((sum, one) => sum + one * one, 0) / d) || 1
    const length = 2 * CLOSE * (0.5 / (2 * CLOSE)) ** (step / (STEPS - 1))
    for (let j = 0; j < d; j++) {
      values[step * d + j] = (from[j] as number) + (length * (direction[j] as number)) / size
    }
  }
  return { values, rows: STEPS, columns: d }
}
