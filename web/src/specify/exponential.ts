/** Powers of two, from 2^-64 to 1. */
const POWERS = Float64Array.from({ length: 65 }, (_, i) => 2 ** (i - 64))
const { LN2, LOG2E } = Math
/** What is farther is nothing beside rounding. */
export const NOTHING = -40

/**
 * `exp(x)` for x in [-40, 0], to eight digits: a third of the time of `Math.exp`, which most of a
 * reduction would be spent in. Zero below.
 */
export function exponential(x: number): number {
  if (x < NOTHING) return 0
  const k = Math.floor(x * LOG2E + 0.5)
  const r = x - k * LN2
  const p =
    1 +
    r *
      (1 +
        r * (0.5 + r * (0.16666666666 + r * (0.04166666666 + r * (0.008333333 + r * 0.00138889)))))
  return p * (POWERS[k + 64] as number)
}
