import { Button, Group, Skeleton, Stack, Table } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Moment } from '../../components/facts'
import { Problem } from '../../components/Problem'

const PAGE = 100

/** What happened to all accounts, the newest first. */
export function Events() {
  const { t } = useTranslation()
  const [before, setBefore] = useState<number[]>([])
  const last = before.at(-1)
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'events', last],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      got(
        api.GET('/v1/admin/events', {
          params: { query: { limit: PAGE, ...(last ? { before: last } : {}) } },
          signal,
        }),
      ),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={240} />
  const oldest = data.at(-1)
  return (
    <Stack>
      <Table.ScrollContainer minWidth={560}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              {(['at', 'kind', 'account', 'actor', 'address'] as const).map((head) => (
                <Table.Th key={head}>{t(`admin.event.${head}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((event) => (
              <Table.Tr key={event.id}>
                <Table.Td>
                  <Moment at={event.at} />
                </Table.Td>
                <Table.Td>{t(`event.${event.kind}`, { defaultValue: event.kind })}</Table.Td>
                <Table.Td>{event.account}</Table.Td>
                <Table.Td>{event.actor}</Table.Td>
                <Table.Td>{event.address}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Group>
        {before.length > 0 && (
          <Button variant="default" onClick={() => setBefore(before.slice(0, -1))}>
            {t('search.previous')}
          </Button>
        )}
        {oldest && data.length === PAGE && (
          <Button variant="default" onClick={() => setBefore([...before, oldest.id])}>
            {t('search.next')}
          </Button>
        )}
      </Group>
    </Stack>
  )
}
