import { Group, Stack, Text } from '@mantine/core'

interface Cloud {
  name: string
  points: readonly (readonly [number, number])[]
  radius: number
  faint?: boolean
}

interface ScatterProps {
  label: string
  axes: readonly [string, string]
  clouds: readonly Cloud[]
}

const WIDTH = 360
const HEIGHT = 260
const MARGIN = 12
const MANY = 200

/** Clouds of points in one plane; what is said of them stands in words beside them. */
export function Scatter({ label, axes, clouds }: ScatterProps) {
  const all = clouds.flatMap(({ points }) => points)
  const [x, y] = [placed(all, 0, WIDTH), placed(all, 1, HEIGHT)]
  return (
    <Stack gap={4}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={label}
        style={{ width: '100%' }}
      >
        <rect
          width={WIDTH}
          height={HEIGHT}
          rx="8"
          fill="none"
          stroke="currentColor"
          strokeOpacity="0.2"
        />
        {clouds.map(({ name, points, radius, faint }) => (
          <g
            key={name}
            fill={faint ? 'currentColor' : 'var(--mantine-primary-color-filled)'}
            fillOpacity={faint ? 0.3 : 0.9}
          >
            {points.map(([a, b], i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: points are never moved among others
              <circle key={i} cx={x(a)} cy={HEIGHT - y(b)} r={radius} />
            ))}
          </g>
        ))}
      </svg>
      <Group gap="md">
        {clouds.map(({ name, faint }) => (
          <Text key={name} size="xs">
            <span aria-hidden>{faint ? '· ' : '● '}</span>
            {name}
          </Text>
        ))}
        <Text size="xs" c="dimmed">
          {axes[0]} × {axes[1]}
        </Text>
      </Group>
    </Stack>
  )
}

/** Where a value stands on an axis that shows all but the farthest of them. */
function placed(all: readonly (readonly [number, number])[], axis: 0 | 1, length: number) {
  const values = all.map((point) => point[axis]).sort((a, b) => a - b)
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? 0
  // Of few none is left out.
  const beyond = values.length > MANY ? 0.005 : 0
  const [low, high] = [at(beyond), at(1 - beyond)]
  const span = high - low || 1
  return (value: number) => {
    const share = Math.min(1.04, Math.max(-0.04, (value - low) / span))
    return MARGIN + share * (length - 2 * MARGIN)
  }
}
