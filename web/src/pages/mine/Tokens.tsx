import {
  Alert,
  Button,
  Checkbox,
  Group,
  Select,
  Skeleton,
  Stack,
  Table,
  TextInput,
  Title,
} from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, type Schemas } from '../../api/client'
import { isAdmin, useSession } from '../../api/session'
import { useConfirm } from '../../components/Confirm'
import { Moment } from '../../components/facts'
import { Problem } from '../../components/Problem'
import { Snippet } from '../../components/Snippet'

type Scope = Schemas['Scope']
const KEY = ['mine', 'tokens']
const DAYS = ['30', '90', '365', 'never'] as const

export function Tokens() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const confirm = useConfirm()
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => got(api.GET('/v1/tokens', { signal })),
  })
  const revoke = useMutation({
    mutationFn: (id: number) => got(api.DELETE('/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  })
  if (error) return <Problem error={error} onRetry={() => void refetch()} />
  if (!data) return <Skeleton height={200} />
  return (
    <Stack gap="xl">
      <NewToken />
      {revoke.error && <Problem error={revoke.error} />}
      {data.length > 0 && (
        <Table.ScrollContainer minWidth={480}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                {(['name', 'scopes', 'created', 'expires', 'used'] as const).map((head) => (
                  <Table.Th key={head}>{t(`tokens.${head}`)}</Table.Th>
                ))}
                <Table.Th>
                  <span className="mantine-visually-hidden">{t('tokens.revoke')}</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.map((token) => (
                <Table.Tr key={token.id}>
                  <Table.Td>{token.name}</Table.Td>
                  <Table.Td>{token.scopes.join(', ')}</Table.Td>
                  <Table.Td>
                    <Moment at={token.created} />
                  </Table.Td>
                  <Table.Td>
                    {token.expires ? <Moment at={token.expires} /> : t('tokens.never')}
                  </Table.Td>
                  <Table.Td>{token.used ? <Moment at={token.used} /> : '–'}</Table.Td>
                  <Table.Td>
                    <Button
                      size="compact-sm"
                      variant="subtle"
                      color="red"
                      aria-label={t('tokens.revokeNamed', { name: token.name })}
                      onClick={() =>
                        confirm.ask({
                          title: t('tokens.revokeNamed', { name: token.name }),
                          text: t('tokens.revokeText'),
                          action: t('tokens.revoke'),
                          onConfirm: () => revoke.mutate(token.id),
                        })
                      }
                    >
                      {t('tokens.revoke')}
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {confirm.dialog}
    </Stack>
  )
}

/** A token is shown once: only its hash is kept. */
function NewToken() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data: account } = useSession()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<string[]>(['read', 'write'])
  const [days, setDays] = useState<string>('365')
  const create = useMutation({
    mutationFn: () =>
      got(
        api.POST('/v1/tokens', {
          body: {
            name,
            scopes: scopes as Scope[],
            expires:
              days === 'never'
                ? null
                : new Date(Date.now() + Number(days) * 86_400_000).toISOString(),
          },
        }),
      ),
    onSuccess: async () => {
      setName('')
      await queries.invalidateQueries({ queryKey: KEY })
    },
  })
  const all = ['read', 'write', 'account', ...(isAdmin(account) ? ['admin'] : [])]
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        create.mutate()
      }}
    >
      <Stack>
        <Title order={2} size="h3">
          {t('tokens.create')}
        </Title>
        <Group align="flex-end">
          <TextInput
            label={t('tokens.name')}
            placeholder={t('tokens.example')}
            required
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label={t('tokens.expires')}
            data={DAYS.map((value) => ({
              value,
              label:
                value === 'never' ? t('tokens.never') : t('tokens.days', { count: Number(value) }),
            }))}
            value={days}
            allowDeselect={false}
            onChange={(value) => setDays(value ?? '365')}
          />
        </Group>
        <Checkbox.Group label={t('tokens.scopes')} value={scopes} onChange={setScopes}>
          <Group mt={4}>
            {all.map((scope) => (
              <Checkbox key={scope} value={scope} label={t(`tokens.scope.${scope}`)} />
            ))}
          </Group>
        </Checkbox.Group>
        {create.error && <Problem error={create.error} />}
        <Button
          type="submit"
          loading={create.isPending}
          disabled={scopes.length === 0}
          style={{ alignSelf: 'flex-start' }}
        >
          {t('tokens.create')}
        </Button>
        {create.data && (
          <Alert title={t('tokens.once')} role="status">
            <Snippet code={create.data.secret} />
          </Alert>
        )}
      </Stack>
    </form>
  )
}
