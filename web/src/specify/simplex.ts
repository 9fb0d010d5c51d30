import { solve } from './matrix'

/** Added to the diagonal so that points which fell together do not make the system singular. */
const RIDGE = 1e-9
/** A bound is released only for a gradient below this, so that rounding cannot make it cycle. */
const SLACK = 1e-10

/**
 * Minimise `1/2 b' K b - c' b` subject to `sum(b) = 1` and `b_i >= floor`, exactly.
 *
 * A primal active-set method (Nocedal and Wright 2006, algorithm 16.3). `free` says which weights
 * were off their bound in a neighbouring problem; it is updated, to start the next one from.
 */
export function simplexWeights(
  gram: Float64Array,
  target: Float64Array,
  floor: number,
  free: Uint8Array,
): Float64Array {
  const m = target.length
  const total = 1 - m * floor
  const k = Float64Array.from(gram)
  for (let i = 0; i < m; i++) k[i * m + i] = (k[i * m + i] as number) + RIDGE
  const c = Float64Array.from(target)
  for (let i = 0; i < m; i++) {
    let sum = 0
    for (let j = 0; j < m; j++) sum += k[i * m + j] as number
    c[i] = (c[i] as number) - floor * sum
  }
  if (!free.includes(1)) free.fill(1)
  const count = free.reduce((sum, one) => sum + one, 0)
  const excess = Float64Array.from(free, (one) => (one ? total / count : 0))
  for (let round = 0; round < 20 * m; round++) {
    const inside = indices(free)
    const { wished, price } = onPlane(k, c, m, inside, total)
    if (wished.some((weight) => weight < 0)) {
      walk(excess, inside, wished, free)
      continue
    }
    excess.fill(0)
    inside.forEach((i, at) => {
      excess[i] = wished[at] as number
    })
    const steepest = mostWanted(k, c, m, excess, free, price)
    if (steepest < 0) break
    free[steepest] = 1
  }
  const weights = excess.map((weight) => weight + floor)
  const sum = weights.reduce((all, weight) => all + weight, 0)
  return weights.map((weight) => weight / sum)
}

function indices(free: Uint8Array): number[] {
  const found: number[] = []
  free.forEach((one, i) => {
    if (one) found.push(i)
  })
  return found
}

/** Minimise on the plane `sum = total`, signs free; also the plane's multiplier. */
function onPlane(k: Float64Array, c: Float64Array, m: number, inside: number[], total: number) {
  const size = inside.length
  const part = new Float64Array(size * size)
  inside.forEach((i, a) => {
    inside.forEach((j, b) => {
      part[a * size + b] = k[i * m + j] as number
    })
  })
  const wished = Float64Array.from(inside, (i) => c[i] as number)
  const ones = new Float64Array(size).fill(1)
  solve(part, size, [wished, ones])
  const sum = (of: Float64Array) => of.reduce((all, one) => all + one, 0)
  const price = (sum(wished) - total) / sum(ones)
  for (let i = 0; i < size; i++) wished[i] = (wished[i] as number) - price * (ones[i] as number)
  return { wished, price }
}

/** Step towards `wished` until the first weight is zero, and hold what is zero at its bound. */
function walk(excess: Float64Array, inside: number[], wished: Float64Array, free: Uint8Array) {
  let step = 1
  inside.forEach((i, at) => {
    const here = excess[i] as number
    const there = wished[at] as number
    if (there < 0) step = Math.min(step, here / (here - there))
  })
  inside.forEach((i, at) => {
    const here = excess[i] as number
    const there = here + step * ((wished[at] as number) - here)
    const atBound = (wished[at] as number) < 0 && there <= 1e-15
    excess[i] = atBound ? 0 : there
    if (atBound) free[i] = 0
  })
}

/** The bound whose release lowers the objective most, or -1. */
function mostWanted(
  k: Float64Array,
  c: Float64Array,
  m: number,
  excess: Float64Array,
  free: Uint8Array,
  price: number,
): number {
  let best = -1
  let steepest = -SLACK
  for (let i = 0; i < m; i++) {
    if (free[i]) continue
    let gradient = price - (c[i] as number)
    for (let j = 0; j < m; j++) gradient += (k[i * m + j] as number) * (excess[j] as number)
    if (gradient < steepest) {
      steepest = gradient
      best = i
    }
  }
  return best
}
