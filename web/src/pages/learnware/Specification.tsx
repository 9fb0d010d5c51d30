import { Paper, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { Scatter } from '../../components/Scatter'
import { Score } from '../../components/Score'
import { Section } from '../../components/Section'
import type { Given } from '../../specify'
import { CardOf } from '../search/Card'
import { nearest } from '../search/queries'

/** Learnwares that are shown beside one. */
const SIMILAR = 3

/** What a learnware tells of its data, and which others have data like it. */
export function Specification({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['specification', id],
    queryFn: async ({ signal }) =>
      (await got(
        api.GET('/v1/learnwares/{id}/specification', { params: { path: { id } }, signal }),
      )) as unknown as Given,
    retry: false,
  })
  if (!data) return null
  return (
    <>
      <Points of={data} />
      <Similar to={id} by={data} />
    </>
  )
}

function Points({ of }: { of: Given }) {
  const { t } = useTranslation()
  const rows = Array.isArray(of.z) ? (of.z as unknown[]) : []
  const points = rows.filter(isRow)
  if (points.length === 0) return null
  const names = (of.v2 as { features?: string[] } | undefined)?.features ?? []
  const second = (points[0]?.length ?? 0) > 1 ? 1 : 0
  const axes = [names[0] ?? '0', names[second] ?? String(second)] as const
  return (
    <Section title={t('learnware.specification')}>
      <Text size="sm">{t('learnware.points', { count: points.length })}</Text>
      <Paper maw={480}>
        <Scatter
          label={t('specify.scatter', { x: axes[0], y: axes[1] })}
          axes={axes}
          clouds={[
            {
              name: t('specify.itsPoints'),
              points: points.map((row): [number, number] => [row[0] ?? 0, row[second] ?? 0]),
              radius: 4,
            },
          ]}
        />
      </Paper>
    </Section>
  )
}

/** A point of a table; those of images have more dimensions. */
function isRow(row: unknown): row is number[] {
  return Array.isArray(row) && typeof row[0] === 'number'
}

function Similar({ to, by }: { to: string; by: Given }) {
  const { t } = useTranslation()
  const { data } = useQuery(nearest(by, `similar to ${to}`, {}))
  const others = (data?.single ?? []).filter(({ id }) => id !== to).slice(0, SIMILAR)
  if (others.length === 0) return null
  return (
    <Section title={t('learnware.similar')}>
      <Text size="sm">{t('learnware.similarLead')}</Text>
      <Stack>
        {others.map((match) => (
          <CardOf key={match.id} id={match.id} asked={[]}>
            {match.score !== null && <Score value={match.score} />}
          </CardOf>
        ))}
      </Stack>
    </Section>
  )
}
