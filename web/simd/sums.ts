/**
 * Sums over records, four at a time in the lanes of a vector (AssemblyScript; see `lanes.ts`).
 *
 * Records come in groups of four: feature j of group g is one vector, at `(g * d + j) * 16`. The
 * numbers of points and features are multiples of four, that of groups of BLOCK; what fills them up
 * adds nothing.
 */

/** Groups looked at together: their kernel values with a hundred points stay in the cache. */
const BLOCK: i32 = 16
const VECTOR: i32 = 16
const NUMBER: i32 = 4

const NOTHING = f32x4.splat(0)
/** What is farther is nothing beside rounding. */
const FARTHEST = f32x4.splat(-80)
const LOG2_E = f32x4.splat(Mathf.LOG2E)
/** ln 2 in two parts, the first of few digits, so that `x - k ln 2` is exact. */
const LN2_HIGH = f32x4.splat(0.693359375)
const LN2_LOW = f32x4.splat(-2.1219444e-4)

/** Room for so many bytes, at a multiple of a vector. */
export function room(bytes: i32): usize {
  return heap.alloc(bytes)
}

/**
 * Add, for each point, its kernel values with all records (times three) to `totals`.
 *
 * With `drawn`, also add their slopes `g = t + 4 t^4 + 16 t^16` to `steep`, and to the vectors of
 * `drawn` the records weighted by these.
 */
export function sums(
  points: usize,
  lengths: usize,
  m: i32,
  d: i32,
  records: usize,
  theirs: usize,
  groups: i32,
  scratch: usize,
  totals: usize,
  steep: usize,
  drawn: usize,
): void {
  for (let first = 0; first < groups; first += BLOCK) {
    const block = records + first * d * VECTOR
    for (let i = 0; i < m; i += 4) {
      distances(points, lengths, i, d, block, theirs + first * VECTOR, scratch)
    }
    for (let i = 0; i < m; i++) kernel(i, scratch, totals, steep)
    if (drawn) for (let i = 0; i < m; i += 2) draw(i, d, block, scratch, drawn)
  }
}

/** Write `-|z - x|^2` of four points with the records of a block to `scratch`. */
function distances(
  points: usize,
  lengths: usize,
  i: i32,
  d: i32,
  block: usize,
  theirs: usize,
  scratch: usize,
): void {
  const row = d * NUMBER
  const z = points + i * row
  for (let l = 0; l < BLOCK; l += 2) {
    const x = block + l * d * VECTOR
    let a0 = NOTHING,
      a1 = NOTHING,
      b0 = NOTHING,
      b1 = NOTHING
    let c0 = NOTHING,
      c1 = NOTHING,
      e0 = NOTHING,
      e1 = NOTHING
    for (let j = 0; j < d; j++) {
      const x0 = v128.load(x + j * VECTOR)
      const x1 = v128.load(x + (d + j) * VECTOR)
      const at = z + j * NUMBER
      const a = v128.load32_splat(at)
      a0 = f32x4.add(a0, f32x4.mul(a, x0))
      a1 = f32x4.add(a1, f32x4.mul(a, x1))
      const b = v128.load32_splat(at + row)
      b0 = f32x4.add(b0, f32x4.mul(b, x0))
      b1 = f32x4.add(b1, f32x4.mul(b, x1))
      const c = v128.load32_splat(at + 2 * row)
      c0 = f32x4.add(c0, f32x4.mul(c, x0))
      c1 = f32x4.add(c1, f32x4.mul(c, x1))
      const e = v128.load32_splat(at + 3 * row)
      e0 = f32x4.add(e0, f32x4.mul(e, x0))
      e1 = f32x4.add(e1, f32x4.mul(e, x1))
    }
    const length0 = v128.load(theirs + l * VECTOR)
    const length1 = v128.load(theirs + (l + 1) * VECTOR)
    away(scratch, lengths, i, l, a0, length0, a1, length1)
    away(scratch, lengths, i + 1, l, b0, length0, b1, length1)
    away(scratch, lengths, i + 2, l, c0, length0, c1, length1)
    away(scratch, lengths, i + 3, l, e0, length0, e1, length1)
  }
}

function away(
  scratch: usize,
  lengths: usize,
  i: i32,
  l: i32,
  product0: v128,
  length0: v128,
  product1: v128,
  length1: v128,
): void {
  const own = v128.load32_splat(lengths + i * NUMBER)
  const to = scratch + (i * BLOCK + l) * VECTOR
  v128.store(to, between(product0, own, length0))
  v128.store(to + VECTOR, between(product1, own, length1))
}

function between(product: v128, own: v128, length: v128): v128 {
  const away = f32x4.sub(f32x4.sub(f32x4.add(product, product), own), length)
  return f32x4.max(f32x4.min(away, NOTHING), FARTHEST)
}

/** Turn a point's row of `scratch` into slopes, and add up its kernel values and slopes. */
function kernel(i: i32, scratch: usize, totals: usize, steep: usize): void {
  let sum = NOTHING,
    slopes = NOTHING
  const row = scratch + i * BLOCK * VECTOR
  for (let l = 0; l < BLOCK; l++) {
    const t = exponential(v128.load(row + l * VECTOR))
    const t2 = f32x4.mul(t, t)
    const t4 = f32x4.mul(t2, t2)
    const t8 = f32x4.mul(t4, t4)
    const t16 = f32x4.mul(t8, t8)
    const g = f32x4.add(t, f32x4.mul(f32x4.splat(4), f32x4.add(t4, f32x4.mul(f32x4.splat(4), t16))))
    sum = f32x4.add(sum, f32x4.add(t, f32x4.add(t4, t16)))
    slopes = f32x4.add(slopes, g)
    v128.store(row + l * VECTOR, g)
  }
  addLanes(totals + i * 8, sum)
  addLanes(steep + i * 8, slopes)
}

function addLanes(to: usize, lanes: v128): void {
  const pairs = f64x2.add(
    f64x2.promote_low_f32x4(lanes),
    f64x2.promote_low_f32x4(v128.shuffle<f32>(lanes, lanes, 2, 3, 0, 1)),
  )
  f64.store(to, f64.load(to) + f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1))
}

/** `exp(x)` for x in [-80, 0], to seven digits (Cephes' polynomial). */
function exponential(x: v128): v128 {
  const k = f32x4.nearest(f32x4.mul(x, LOG2_E))
  const r = f32x4.sub(f32x4.sub(x, f32x4.mul(k, LN2_HIGH)), f32x4.mul(k, LN2_LOW))
  let p = f32x4.splat(1.98756915e-4)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1))
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1))
  return i32x4.add(p, i32x4.shl(i32x4.trunc_sat_f32x4_s(k), 23))
}

/** Add the records of a block, weighted by the slopes in `scratch`, to two rows of `drawn`. */
function draw(i: i32, d: i32, block: usize, scratch: usize, drawn: usize): void {
  const g = scratch + i * BLOCK * VECTOR
  const h = g + BLOCK * VECTOR
  for (let j = 0; j < d; j += 4) {
    const to = drawn + (i * d + j) * VECTOR
    const too = to + d * VECTOR
    let a0 = v128.load(to),
      a1 = v128.load(to, VECTOR)
    let a2 = v128.load(to, 2 * VECTOR),
      a3 = v128.load(to, 3 * VECTOR)
    let b0 = v128.load(too),
      b1 = v128.load(too, VECTOR)
    let b2 = v128.load(too, 2 * VECTOR),
      b3 = v128.load(too, 3 * VECTOR)
    for (let l = 0; l < BLOCK; l++) {
      const x = block + (l * d + j) * VECTOR
      const a = v128.load(g + l * VECTOR),
        b = v128.load(h + l * VECTOR)
      const x0 = v128.load(x)
      a0 = f32x4.add(a0, f32x4.mul(a, x0))
      b0 = f32x4.add(b0, f32x4.mul(b, x0))
      const x1 = v128.load(x, VECTOR)
      a1 = f32x4.add(a1, f32x4.mul(a, x1))
      b1 = f32x4.add(b1, f32x4.mul(b, x1))
      const x2 = v128.load(x, 2 * VECTOR)
      a2 = f32x4.add(a2, f32x4.mul(a, x2))
      b2 = f32x4.add(b2, f32x4.mul(b, x2))
      const x3 = v128.load(x, 3 * VECTOR)
      a3 = f32x4.add(a3, f32x4.mul(a, x3))
      b3 = f32x4.add(b3, f32x4.mul(b, x3))
    }
    v128.store(to, a0)
    v128.store(to, a1, VECTOR)
    v128.store(to, a2, 2 * VECTOR)
    v128.store(to, a3, 3 * VECTOR)
    v128.store(too, b0)
    v128.store(too, b1, VECTOR)
    v128.store(too, b2, 2 * VECTOR)
    v128.store(too, b3, 3 * VECTOR)
  }
}

/**
 * Lower the vectors of `nearest` to the least squared distance of each point from a record of each
 * lane, and count in those of `close` the records nearer than `edge`.
 */
export function neighbours(
  points: usize,
  m: i32,
  d: i32,
  records: usize,
  groups: i32,
  edge: f32,
  nearest: usize,
  close: usize,
): void {
  const within = f32x4.splat(edge)
  const row = d * NUMBER
  for (let first = 0; first < groups; first += BLOCK) {
    for (let i = 0; i < m; i += 4) {
      const z = points + i * row
      for (let l = first; l < first + BLOCK; l++) {
        const x = records + l * d * VECTOR
        let a = NOTHING,
          b = NOTHING,
          c = NOTHING,
          e = NOTHING
        for (let j = 0; j < d; j++) {
          const feature = v128.load(x + j * VECTOR)
          const at = z + j * NUMBER
          a = squareAdded(a, at, feature)
          b = squareAdded(b, at + row, feature)
          c = squareAdded(c, at + 2 * row, feature)
          e = squareAdded(e, at + 3 * row, feature)
        }
        noted(nearest, close, i, a, within)
        noted(nearest, close, i + 1, b, within)
        noted(nearest, close, i + 2, c, within)
        noted(nearest, close, i + 3, e, within)
      }
    }
  }
}

function squareAdded(sum: v128, at: usize, feature: v128): v128 {
  const apart = f32x4.sub(v128.load32_splat(at), feature)
  return f32x4.add(sum, f32x4.mul(apart, apart))
}

function noted(nearest: usize, close: usize, i: i32, squared: v128, within: v128): void {
  const to = i * VECTOR
  v128.store(nearest + to, f32x4.min(v128.load(nearest + to), squared))
  // Where it is nearer all bits are set, which is -1.
  v128.store(close + to, i32x4.sub(v128.load(close + to), f32x4.lt(squared, within)))
}
