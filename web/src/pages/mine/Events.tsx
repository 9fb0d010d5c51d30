import { Skeleton, Table } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Moment } from '../../components/facts'
import { Problem } from '../../components/Problem'

/** What happened to the account: the newest first. */
export function Events() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({
    queryKey: ['mine', 'events'],
    queryFn: ({ signal }) =>
      got(api.GET('/v1/account/events', { params: { query: { limit: 200 } }, signal })),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={200} />
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table>
        <Table.Tbody>
          {data.map((event) => (
            <Table.Tr key={event.id}>
              <Table.Td>
                <Moment at={event.at} />
              </Table.Td>
              <Table.Td>{t(`event.${event.kind}`, { defaultValue: event.kind })}</Table.Td>
              <Table.Td>{event.address}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
