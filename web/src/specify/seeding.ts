import { chosen, type Points, points, type Records } from './matrix'
import type { Random } from './random'
import { asPoints, type Sample } from './sample'

/** A cell smaller than this joins its nearest neighbour: its Gaussian would point at its members. */
const FEWEST_IN_CELL = 10
const RECORDS_PER_CELL = 50
const MOST_CELLS = 40
const LLOYD_ROUNDS = 8
const POOL = 2_000

/**
 * `m` synthetic points, nobody's records, whose mean embedding is near that of the sample
 * (ALGORITHMS §1.2, steps 1 and 2; Chen, Welling and Smola, "Super-samples from kernel herding").
 */
export function herdedStart(sample: Sample, m: number, random: Random): Points {
  const pool = syntheticPool(sample.records, Math.max(POOL, 2 * m), random)
  const score = sample.meanEmbedding(pool)
  const overlap = new Float64Array(pool.rows)
  const taken = new Set<number>()
  for (let t = 0; t < m; t++) {
    let best = -1
    let most = Number.NEGATIVE_INFINITY
    for (let i = 0; i < pool.rows; i++) {
      const gain = (t + 1) * (score[i] as number) - (overlap[i] as number)
      if (gain > most && !taken.has(i)) {
        most = gain
        best = i
      }
    }
    taken.add(best)
    addKernelTo(pool, best, overlap)
  }
  return asPoints(
    chosen(
      pool,
      [...taken].sort((a, b) => a - b),
    ),
  )
}

/** A point of a cell is `mean + sum_l e_l (x_l - mean) / sqrt(k - 1)`: it mixes all its records. */
export function syntheticPool(records: Records, size: number, random: Random): Records {
  const d = records.columns
  const values = new Float32Array(size * d)
  const groups = cells(records, random)
  const counts = shares(
    groups.map((group) => group.length),
    size,
    random,
  )
  let at = 0
  groups.forEach((group, g) => {
    const own = chosen(records, group)
    const mean = meanOf(own)
    const spread = 1 / Math.sqrt(Math.max(group.length - 1, 1))
    for (let drawn = 0; drawn < (counts[g] as number); drawn++, at++) {
      const point = Float64Array.from(mean)
      for (let l = 0; l < own.rows; l++) {
        const e = random.normal() * spread
        for (let j = 0; j < d; j++) {
          point[j] =
            (point[j] as number) + e * ((own.values[l * d + j] as number) - (mean[j] as number))
        }
      }
      values.set(point, at * d)
    }
  })
  return { values, rows: size, columns: d }
}

/** How many of `size` draws fall into each group, by its size. */
function shares(sizes: number[], size: number, random: Random): number[] {
  const ends: number[] = []
  let sum = 0
  for (const one of sizes) {
    sum += one
    ends.push(sum)
  }
  const counts = sizes.map(() => 0)
  for (let i = 0; i < size; i++) {
    const at = random.uniform() * sum
    const group = ends.findIndex((end) => at < end)
    counts[group] = (counts[group] as number) + 1
  }
  return counts
}

/** The records of each cell: k-means, then small cells joined with their nearest. */
export function cells(records: Records, random: Random): number[][] {
  const k = Math.max(1, Math.min(MOST_CELLS, Math.floor(records.rows / RECORDS_PER_CELL)))
  let centres = asPoints(chosen(records, random.choose(records.rows, k)))
  let groups: number[][] = []
  for (let round = 0; round <= LLOYD_ROUNDS; round++) {
    groups = grouped(records, centres)
    centres = centresOf(records, groups, centres)
  }
  return mergedSmall(records, groups)
}

function grouped(records: Records, centres: Points): number[][] {
  const groups: number[][] = Array.from({ length: centres.rows }, () => [])
  for (let i = 0; i < records.rows; i++) groups[nearestRow(records, i, centres)]?.push(i)
  return groups
}

function nearestRow(records: Records, i: number, centres: Points): number {
  const d = records.columns
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let c = 0; c < centres.rows; c++) {
    let apart = 0
    for (let j = 0; j < d; j++) {
      const gap = (records.values[i * d + j] as number) - (centres.values[c * d + j] as number)
      apart += gap * gap
    }
    if (apart < least) {
      least = apart
      best = c
    }
  }
  return best
}

/** An empty cell keeps its centre, so that none is lost to the origin. */
function centresOf(records: Records, groups: number[][], before: Points): Points {
  const d = records.columns
  const next = points(before.rows, d, Float64Array.from(before.values))
  groups.forEach((group, c) => {
    if (group.length) next.values.set(meanOf(chosen(records, group)), c * d)
  })
  return next
}

function mergedSmall(records: Records, groups: number[][]): number[][] {
  const left = groups.filter((group) => group.length > 0)
  for (;;) {
    left.sort((a, b) => a.length - b.length)
    const smallest = left[0] as number[]
    if (left.length === 1 || smallest.length >= FEWEST_IN_CELL) return left
    const here = meanOf(chosen(records, smallest))
    const apart = left.slice(1).map((group) => gap(here, meanOf(chosen(records, group))))
    const host = 1 + apart.indexOf(Math.min(...apart))
    left[host] = [...(left[host] as number[]), ...smallest]
    left.shift()
  }
}

function gap(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, j) => sum + (value - (b[j] as number)) ** 2, 0)
}

function meanOf(records: Records): Float64Array {
  const { values, rows, columns: d } = records
  const mean = new Float64Array(d)
  for (let i = 0; i < values.length; i++)
    mean[i % d] = (mean[i % d] as number) + (values[i] as number)
  return mean.map((sum) => sum / rows)
}

function addKernelTo(pool: Records, to: number, overlap: Float64Array): void {
  const d = pool.columns
  for (let i = 0; i < pool.rows; i++) {
    let squared = 0
    for (let j = 0; j < d; j++) {
      const apart = (pool.values[i * d + j] as number) - (pool.values[to * d + j] as number)
      squared += apart * apart
    }
    const t = Math.exp(-squared)
    const t4 = t * t * t * t
    overlap[i] = (overlap[i] as number) + (t + t4 + t4 * t4 * t4 * t4) / 3
  }
}
