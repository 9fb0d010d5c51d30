import { Badge, Button, Group, Select, Skeleton, Stack, Table, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Account, api, got } from '../../api/client'
import { useSession } from '../../api/session'
import { useConfirm } from '../../components/Confirm'
import { Moment } from '../../components/facts'
import { Problem } from '../../components/Problem'
import { asCsv } from './csv'

const STATES = ['unconfirmed', 'active', 'suspended'] as const
const ROLES = ['user', 'admin', 'super_admin'] as const
const MOST = 1000

/** Who has an account: found by name or address, and looked after. */
export function Accounts() {
  const { t } = useTranslation()
  const [typed, setTyped] = useState('')
  const [text] = useDebouncedValue(typed, 250)
  const [state, setState] = useState<(typeof STATES)[number] | null>(null)
  const { data, error, refetch } = useQuery({
    queryKey: ['admin', 'accounts', text, state],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      got(
        api.GET('/v1/admin/accounts', {
          params: { query: { text, limit: MOST, ...(state ? { state } : {}) } },
          signal,
        }),
      ),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  return (
    <Stack>
      <Group align="flex-end">
        <TextInput
          label={t('admin.find')}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <Select
          label={t('admin.state')}
          clearable
          data={STATES.map((value) => ({ value, label: t(`accountState.${value}`) }))}
          value={state}
          onChange={(value) => setState(STATES.find((one) => one === value) ?? null)}
        />
        {data && (
          <Button
            component="a"
            variant="default"
            download="accounts.csv"
            href={`data:text/csv;charset=utf-8,${encodeURIComponent(csvOf(data))}`}
          >
            CSV
          </Button>
        )}
      </Group>
      {data ? <Listed accounts={data} /> : <Skeleton height={240} />}
    </Stack>
  )
}

function csvOf(accounts: Account[]): string {
  const columns = ['id', 'email', 'name', 'role', 'state', 'created'] as const
  return asCsv([columns, ...accounts.map((one) => columns.map((column) => String(one[column])))])
}

function Listed({ accounts }: { accounts: Account[] }) {
  const { t } = useTranslation()
  return (
    <Table.ScrollContainer minWidth={640}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            {(['name', 'email', 'role', 'state', 'created', 'actions'] as const).map((head) => (
              <Table.Th key={head}>{t(`admin.table.${head}`)}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {accounts.map((account) => (
            <Row key={account.id} of={account} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Row({ of }: { of: Account }) {
  const { t } = useTranslation()
  const { data: me } = useSession()
  return (
    <Table.Tr>
      <Table.Td>{of.name}</Table.Td>
      <Table.Td>{of.email}</Table.Td>
      <Table.Td>
        {me?.role === 'super_admin' && me.id !== of.id ? <Role of={of} /> : t(`roles.${of.role}`)}
      </Table.Td>
      <Table.Td>
        <Badge variant="outline" tt="none">
          {t(`accountState.${of.state}`)}
        </Badge>
      </Table.Td>
      <Table.Td>
        <Moment at={of.created} />
      </Table.Td>
      <Table.Td>{lesser(of, me) && <Suspension of={of} />}</Table.Td>
    </Table.Tr>
  )
}

/** Whether somebody may look after an account: only after those of a lesser role. */
function lesser(account: Account, me: Account | null | undefined): boolean {
  return me ? ROLES.indexOf(account.role) < ROLES.indexOf(me.role) : false
}

function Role({ of }: { of: Account }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const change = useMutation({
    mutationFn: (role: Account['role']) =>
      got(
        api.PUT('/v1/admin/accounts/{id}/role', {
          params: { path: { id: of.id } },
          body: { role },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  })
  return (
    <>
      <Select
        size="xs"
        aria-label={t('admin.roleOf', { name: of.name })}
        data={ROLES.map((value) => ({ value, label: t(`roles.${value}`) }))}
        value={of.role}
        allowDeselect={false}
        onChange={(value) => change.mutate(value as Account['role'])}
      />
      {change.error && <Problem error={change.error} />}
    </>
  )
}

function Suspension({ of }: { of: Account }) {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const confirm = useConfirm()
  const params = { path: { id: of.id } }
  const change = useMutation({
    mutationFn: (suspended: boolean) =>
      suspended
        ? got(api.POST('/v1/admin/accounts/{id}/suspend', { params, body: { reason: '' } }))
        : got(api.POST('/v1/admin/accounts/{id}/reinstate', { params })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  })
  if (of.state === 'suspended') {
    return (
      <>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={t('admin.reinstateNamed', { name: of.name })}
          onClick={() => change.mutate(false)}
        >
          {t('admin.reinstate')}
        </Button>
        {change.error && <Problem error={change.error} />}
      </>
    )
  }
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        aria-label={t('admin.suspendNamed', { name: of.name })}
        onClick={() =>
          confirm.ask({
            title: t('admin.suspendNamed', { name: of.name }),
            text: t('admin.suspendText'),
            action: t('admin.suspend'),
            onConfirm: () => change.mutate(true),
          })
        }
      >
        {t('admin.suspend')}
      </Button>
      {change.error && <Problem error={change.error} />}
      {confirm.dialog}
    </>
  )
}
