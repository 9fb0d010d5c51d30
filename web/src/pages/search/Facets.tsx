import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  ScrollArea,
  Skeleton,
  Stack,
  Text,
  Tooltip,
} from '@mantine/core'
import { IconBan } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Problem } from '../../components/Problem'
import { FACETS, type Facet, type SearchAddress, withValue } from './address'
import { facets } from './queries'

interface Asked {
  address: SearchAddress
  onChange: (next: SearchAddress) => void
}

/** What can be chosen of each facet, and how many learnwares each choice leaves. */
export function Facets({ address, onChange }: Asked) {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(facets(address))
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={320} />
  const { text, ...chosen } = address
  const reset = () => onChange(text ? { text } : {})
  return (
    <Stack gap="md" role="group" aria-label={t('search.filters')}>
      {Object.keys(chosen).length > 0 && (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={reset}
          style={{ alignSelf: 'flex-start' }}
        >
          {t('search.reset')}
        </Button>
      )}
      {FACETS.map((facet) => (
        <Values
          key={facet}
          facet={facet}
          counts={data[facet] ?? {}}
          address={address}
          onChange={onChange}
        />
      ))}
    </Stack>
  )
}

function Values({
  facet,
  counts,
  address,
  onChange,
}: Asked & { facet: Facet; counts: Record<string, number> }) {
  const { t } = useTranslation()
  const wanted = address[facet] ?? []
  const unwanted = address[`not_${facet}`] ?? []
  const values = [...new Set([...Object.keys(counts), ...wanted, ...unwanted])]
  if (values.length === 0) return null
  return (
    <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
      <Text component="legend" size="sm" fw={600}>
        {t(`facets.${facet}`)}
      </Text>
      <ScrollArea.Autosize mah={220} type="auto">
        <Stack gap={4} pt={4}>
          {values.map((value) => {
            const not = unwanted.includes(value)
            const put = (how: 'wanted' | 'unwanted' | 'neither') =>
              onChange(withValue(address, facet, value, how))
            const without = t(not ? 'search.withAgain' : 'search.without', { value })
            return (
              <Group key={value} justify="space-between" wrap="nowrap" gap={4}>
                <Checkbox
                  size="xs"
                  checked={wanted.includes(value)}
                  label={`${not ? '− ' : ''}${value} (${counts[value] ?? 0})`}
                  onChange={(event) => put(event.currentTarget.checked ? 'wanted' : 'neither')}
                />
                <Tooltip label={without}>
                  <ActionIcon
                    size="sm"
                    variant={not ? 'filled' : 'subtle'}
                    color="gray"
                    aria-label={without}
                    aria-pressed={not}
                    onClick={() => put(not ? 'neither' : 'unwanted')}
                  >
                    <IconBan size={14} />
                  </ActionIcon>
                </Tooltip>
              </Group>
            )
          })}
        </Stack>
      </ScrollArea.Autosize>
    </fieldset>
  )
}
