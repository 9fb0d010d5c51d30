import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got, keepCsrf } from '../../api/client'
import { SESSION, useSession } from '../../api/session'
import { PasswordField } from '../../components/fields'
import { Problem } from '../../components/Problem'

export function AccountTab() {
  return (
    <Stack gap="xl">
      <Name />
      <Password />
      <Leaving />
    </Stack>
  )
}

function Name() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const { data: account } = useSession()
  const [name, setName] = useState(account?.name ?? '')
  const rename = useMutation({
    mutationFn: () => got(api.PATCH('/v1/account', { body: { name } })),
    onSuccess: (renamed) => queries.setQueryData(SESSION, renamed),
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        rename.mutate()
      }}
    >
      <Stack maw={400}>
        <Text size="sm">{account?.email}</Text>
        <TextInput
          label={t('account.name')}
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {rename.error && <Problem error={rename.error} />}
        <Button
          type="submit"
          variant="default"
          loading={rename.isPending}
          style={{ alignSelf: 'flex-start' }}
        >
          {t('account.rename')}
        </Button>
      </Stack>
    </form>
  )
}

function Password() {
  const { t } = useTranslation()
  const [old, setOld] = useState('')
  const [chosen, setChosen] = useState('')
  const change = useMutation({
    mutationFn: () => got(api.POST('/v1/account/password', { body: { old, new: chosen } })),
    onSuccess: () => {
      setOld('')
      setChosen('')
      notifications.show({ message: t('account.passwordChanged') })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate()
      }}
    >
      <Stack maw={400}>
        <Title order={2} size="h3">
          {t('account.changePassword')}
        </Title>
        <PasswordField value={old} onChange={setOld} label={t('account.oldPassword')} />
        <PasswordField
          value={chosen}
          onChange={setChosen}
          label={t('account.newPassword')}
          chosen
        />
        {change.error && <Problem error={change.error} />}
        <Button
          type="submit"
          variant="default"
          loading={change.isPending}
          style={{ alignSelf: 'flex-start' }}
        >
          {t('account.changePassword')}
        </Button>
      </Stack>
    </form>
  )
}

/** All that is kept, to be saved; and the end of it. */
function Leaving() {
  const { t } = useTranslation()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [password, setPassword] = useState('')
  const remove = useMutation({
    mutationFn: () => got(api.POST('/v1/account/delete', { body: { password } })),
    onSuccess: async () => {
      keepCsrf('')
      queries.clear()
      queries.setQueryData(SESSION, null)
      await navigate({ to: '/' })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        remove.mutate()
      }}
    >
      <Stack maw={400}>
        <Title order={2} size="h3">
          {t('account.leave')}
        </Title>
        <Button
          component="a"
          href="/v1/account/export"
          download
          variant="default"
          style={{ alignSelf: 'flex-start' }}
        >
          {t('account.export')}
        </Button>
        <Text size="sm">{t('account.deleteText')}</Text>
        <PasswordField value={password} onChange={setPassword} />
        {remove.error && <Problem error={remove.error} />}
        <Group>
          <Button type="submit" color="red.9" loading={remove.isPending}>
            {t('account.delete')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
