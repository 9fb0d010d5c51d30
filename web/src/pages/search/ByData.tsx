import {
  Alert,
  Button,
  Collapse,
  Group,
  List,
  Paper,
  Stack,
  Table,
  Text,
  Title,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Problem } from '../../components/Problem'
import { Score } from '../../components/Score'
import { chosenValues, type SearchAddress } from './address'
import { CardOf } from './Card'
import type { Sent } from './index'
import { Waiting } from './Listed'
import { type Match, type Mixture, nearest } from './queries'

/** What fits the reader's data: a combination where one helps, then single learnwares. */
export function ByData({ sent, address }: { sent: Sent; address: SearchAddress }) {
  const { t } = useTranslation()
  const { data, error, refetch, isPlaceholderData } = useQuery(
    nearest(sent.specification, sent.number, address),
  )
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Waiting />
  const asked = chosenValues(address)
  return (
    <Stack aria-busy={isPlaceholderData}>
      <Text size="sm" c="dimmed" role="status">
        {data.certificate
          ? t('search.compared', {
              count: data.certificate.compared,
              opened: data.certificate.opened,
            })
          : t('search.comparedNone')}
      </Text>
      {!data.fits && (
        <Alert color="yellow" title={t('search.nothingFits')}>
          {t('search.nothingFitsWhat')}
        </Alert>
      )}
      {data.notes.length > 0 && (
        <List size="sm">
          {data.notes.map((note) => (
            <List.Item key={note}>{note}</List.Item>
          ))}
        </List>
      )}
      {data.mixture && <Combination of={data.mixture} asked={asked} />}
      {data.single.length > 0 && <Title order={2}>{t('search.singles')}</Title>}
      {data.single.map((match) => (
        <CardOf key={match.id} id={match.id} asked={asked}>
          <Why match={match} />
        </CardOf>
      ))}
    </Stack>
  )
}

/** Learnwares that together are nearer than any one of them, with one download. */
function Combination({ of, asked }: { of: Mixture; asked: string[] }) {
  const { t } = useTranslation()
  const ids = of.members.map(({ id }) => id)
  const all = new URLSearchParams(ids.map((id) => ['id', id]))
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="combination">
      <Stack>
        <Group justify="space-between">
          <Title order={2} id="combination">
            {t('search.combination', { count: of.members.length })}
          </Title>
          <Button component="a" href={`/v1/downloads?${all}`} download>
            {t('search.downloadAll')}
          </Button>
        </Group>
        <Score value={of.score} />
        <Text size="sm">{t('search.uncovered', { share: percent(of.uncovered) })}</Text>
        {of.members.map((match, i) => (
          <CardOf key={match.id} id={match.id} asked={asked}>
            <Text size="sm">
              {t('search.member', {
                weight: percent(of.weights[i] ?? 0),
                covered: percent(of.coverage[i] ?? 0),
              })}
            </Text>
          </CardOf>
        ))}
      </Stack>
    </Paper>
  )
}

/** Why a learnware matches: its score, and the features that differ most. */
function Why({ match }: { match: Match }) {
  const { t } = useTranslation()
  const [opened, details] = useDisclosure()
  const features = match.explanation?.features ?? []
  return (
    <Stack gap={4}>
      {match.score !== null && <Score value={match.score} />}
      {match.coverage !== null && (
        <Text size="sm">{t('search.covers', { share: percent(match.coverage) })}</Text>
      )}
      {features.length > 0 && (
        <>
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={details.toggle}
            aria-expanded={opened}
            style={{ alignSelf: 'flex-start' }}
          >
            {t('search.differ')}
          </Button>
          <Collapse expanded={opened}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  {(['feature', 'yours', 'theirs', 'deviations'] as const).map((head) => (
                    <Table.Th key={head}>{t(`search.table.${head}`)}</Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {features.map((feature) => (
                  <Table.Tr key={feature.name}>
                    <Table.Td>{feature.name}</Table.Td>
                    <Table.Td>{short(feature.yours)}</Table.Td>
                    <Table.Td>{short(feature.theirs)}</Table.Td>
                    <Table.Td>{short(feature.deviations)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Collapse>
        </>
      )}
    </Stack>
  )
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toString()
}
