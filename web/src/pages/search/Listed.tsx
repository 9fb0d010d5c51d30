import { Alert, Anchor, Button, Group, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Problem } from '../../components/Problem'
import { chosenValues, readSearch, type SearchAddress } from './address'
import { Card } from './Card'
import { listed, PAGE, suggestions } from './queries'

interface Asked {
  address: SearchAddress
  onChange: (next: SearchAddress) => void
}

/** Learnwares by their tags and words, a page at a time. */
export function Listed({ address, onChange }: Asked) {
  const { t } = useTranslation()
  const [before, setBefore] = useState<string[]>([])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question starts at its first page
  useEffect(() => setBefore([]), [JSON.stringify(address)])
  const { data, error, refetch, isPlaceholderData } = useQuery(listed(address, before.at(-1)))
  const count = useQuery({
    queryKey: ['count', address],
    queryFn: ({ signal }) =>
      got(api.GET('/v1/learnwares/count', { params: { query: address as never }, signal })),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Waiting />
  const last = data.at(-1)
  return (
    <Stack aria-busy={isPlaceholderData}>
      <Text size="sm" c="dimmed" role="status">
        {count.data ? t('search.found', { count: count.data.count }) : ' '}
      </Text>
      <Meant address={address} onChange={onChange} />
      {data.length === 0 && <Alert title={t('search.none')}>{t('search.noneWhat')}</Alert>}
      {data.map((learnware) => (
        <Card key={learnware.id} of={learnware} asked={chosenValues(address)} />
      ))}
      <Group>
        {before.length > 0 && (
          <Button variant="default" onClick={() => setBefore(before.slice(0, -1))}>
            {t('search.previous')}
          </Button>
        )}
        {last && data.length === PAGE && (
          <Button variant="default" onClick={() => setBefore([...before, last.id])}>
            {t('search.next')}
          </Button>
        )}
      </Group>
    </Stack>
  )
}

/** "Did you mean": what the words may have meant. */
function Meant({ address, onChange }: Asked) {
  const { t } = useTranslation()
  const { data } = useQuery(suggestions(address))
  if (!data?.length) return null
  return (
    <Text size="sm">
      {t('search.meant')}{' '}
      {data.map((one) => (
        <Anchor
          key={`${one.typed} ${one.meant}`}
          component="button"
          type="button"
          mr="xs"
          onClick={() =>
            onChange(
              readSearch({ ...address, text: (address.text ?? '').replace(one.typed, one.meant) }),
            )
          }
        >
          {one.meant} ({one.learnwares})
        </Anchor>
      ))}
    </Text>
  )
}

export function Waiting() {
  return (
    <Stack aria-busy>
      {[1, 2, 3].map((one) => (
        <Skeleton key={one} height={120} />
      ))}
    </Stack>
  )
}
