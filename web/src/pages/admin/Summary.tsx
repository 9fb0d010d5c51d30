import { SimpleGrid, Skeleton, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { bytes } from '../../components/facts'
import { Problem } from '../../components/Problem'
import { Section } from '../../components/Section'

/** How much of everything there is, and how much room is left. */
export function Summary() {
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'statistics'],
    queryFn: ({ signal }) => got(api.GET('/v1/admin/statistics', { signal })),
    refetchInterval: 15_000,
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={240} />
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Counts title={t('admin.byState')} counts={data.states} named="state" />
        <Counts title={t('admin.accounts')} counts={data.accounts} named="accountState" />
        <Counts title={t('admin.used')} counts={data.used} named="admin.uses" />
      </SimpleGrid>
      <Text mt="md">{t('admin.free', { size: bytes(data.disk_free) })}</Text>
    </>
  )
}

interface CountsProps {
  title: string
  counts: Record<string, number>
  named: string
}

function Counts({ title, counts, named }: CountsProps) {
  const { t } = useTranslation()
  return (
    <Section title={title}>
      <Table>
        <Table.Tbody>
          {Object.entries(counts).map(([name, count]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{t(`${named}.${name}`, { defaultValue: name })}</Table.Th>
              <Table.Td>{count.toLocaleString()}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}
