import { Group, Progress, Text } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** Under this a learnware is little nearer to the data than strangers are to each other. */
const FITS = 0.5
const CLOSE = 0.8

/** A score in [0, 1] as a number, a word and a bar: never by colour alone. */
export function Score({ value }: { value: number }) {
  const { t } = useTranslation()
  const word = value >= CLOSE ? 'close' : value >= FITS ? 'fits' : 'stranger'
  const label = t(`score.${word}`)
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress
        value={100 * value}
        w={72}
        color={value >= FITS ? 'water' : 'gray'}
        aria-label={`${t('score.score')} ${value.toFixed(2)}`}
      />
      <Text size="sm" fw={600}>
        {value.toFixed(2)}
      </Text>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
    </Group>
  )
}
