import { Badge, Button, Group, Paper, SimpleGrid, Skeleton, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { api, got, type Learnware } from '../../api/client'
import { isAdmin, useSession } from '../../api/session'
import { bytes, described, Moment, Tags, textOf } from '../../components/facts'
import { Markdown } from '../../components/Markdown'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { Section } from '../../components/Section'
import { Snippets } from '../../components/Snippet'
import { learnware } from '../search/queries'
import { Actions } from './Actions'
import { Report } from './Report'
import { Specification } from './Specification'
import { Steps } from './Steps'
import { snippetsFor } from './snippets'

export function LearnwarePage() {
  const { id } = useParams({ from: '/learnwares/$id' })
  const { t } = useTranslation()
  const { data, error, refetch } = useQuery(learnware(id))
  if (error) {
    return (
      <Page title={t('learnware.notHere', { id })}>
        <Problem error={error} onRetry={() => void refetch()} />
      </Page>
    )
  }
  if (!data) return <Skeleton height={480} />
  return <Told of={data} />
}

function Told({ of }: { of: Learnware }) {
  const { t } = useTranslation()
  const { data: account } = useSession()
  const owns = account !== null && account !== undefined && of.owner === `account:${account.id}`
  const insider = owns || isAdmin(account)
  return (
    <Page
      title={of.name}
      actions={
        <Group gap="xs">
          <Badge variant="outline" tt="none">
            {t(`state.${of.state}`)}
          </Badge>
          <Text size="sm" c="dimmed">
            {of.id} · {t('learnware.by', { owner: of.owner_name })} · <Moment at={of.changed} />
          </Text>
        </Group>
      }
    >
      <Tags semantic={of.semantic} />
      <Group>
        <Button component="a" href={`/v1/learnwares/${of.id}/archive`} download={`${of.id}.zip`}>
          {t('learnware.download', { size: bytes(of.size) })}
        </Button>
        {insider && <Actions of={of} />}
        {!owns && <Report id={of.id} />}
      </Group>
      {insider && of.state !== 'published' && <Steps of={of} />}
      <Markdown>{textOf(of.semantic, 'Description')}</Markdown>
      <Section title={t('learnware.use')}>
        <Snippets of={snippetsFor(of.id, window.location.origin)} />
      </Section>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Described title={t('learnware.inputs')} rows={described(of.semantic, 'Input')} />
        <Described title={t('learnware.outputs')} rows={described(of.semantic, 'Output')} />
      </SimpleGrid>
      {of.state === 'published' && <Specification id={of.id} />}
      <Revisions id={of.id} />
      <Section title={t('learnware.facts')}>
        <Table>
          <Table.Tbody>
            <Fact name={t('learnware.digest')}>
              <Text ff="monospace" size="sm" style={{ overflowWrap: 'anywhere' }}>
                {of.sha256}
              </Text>
            </Fact>
            <Fact name={t('learnware.kind')}>{of.kind}</Fact>
            <Fact name={t('learnware.dimension')}>{of.dimension}</Fact>
            <Fact name={t('learnware.created')}>
              <Moment at={of.created} />
            </Fact>
          </Table.Tbody>
        </Table>
      </Section>
    </Page>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th scope="row">{name}</Table.Th>
      <Table.Td>{children}</Table.Td>
    </Table.Tr>
  )
}

/** A hundred rows are shown at once; a wide table scrolls within its frame. */
function Described({ title, rows }: { title: string; rows: [string, string][] }) {
  const { t } = useTranslation()
  if (rows.length === 0) return null
  return (
    <Section title={title}>
      <Paper
        withBorder
        mah={320}
        style={{ overflow: 'auto' }}
        tabIndex={0}
        role="region"
        aria-label={title}
      >
        <Table stickyHeader>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>#</Table.Th>
              <Table.Th>{t('learnware.described')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([number, text]) => (
              <Table.Tr key={number}>
                <Table.Td>{number}</Table.Td>
                <Table.Td>{text}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Paper>
    </Section>
  )
}

function Revisions({ id }: { id: string }) {
  const { t } = useTranslation()
  const { data } = useQuery({
    queryKey: ['revisions', id],
    queryFn: ({ signal }) =>
      got(api.GET('/v1/learnwares/{id}/revisions', { params: { path: { id } }, signal })),
  })
  if (!data || data.length < 2) return null
  return (
    <Section title={t('learnware.revisions')}>
      <Table>
        <Table.Tbody>
          {data.map((revision) => (
            <Table.Tr key={revision.number}>
              <Table.Td>{revision.number}</Table.Td>
              <Table.Td>{revision.name}</Table.Td>
              <Table.Td>{t(`state.${revision.state}`)}</Table.Td>
              <Table.Td>
                <Moment at={revision.created} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}
