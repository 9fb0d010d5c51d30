/** Our mark: the Dipper, by which one finds the north. */
export function Mark({ size = 32 }: { size?: number }) {
  return <img src="/mark.svg" width={size} height={size} alt="" />
}
