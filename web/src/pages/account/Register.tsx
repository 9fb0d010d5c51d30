import { Button, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import { EmailField, PasswordField } from '../../components/fields'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'
import { Resend } from './Resend'

export function Register() {
  const { t } = useTranslation()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const register = useMutation({
    mutationFn: () => got(api.POST('/v1/accounts', { body: { email, name, password } })),
  })
  if (register.data) {
    return (
      <Page title={t('account.lookAtMail')}>
        <Text role="status">{t('account.mailOnItsWay', { email })}</Text>
        <Resend email={email} />
      </Page>
    )
  }
  return (
    <Page title={t('account.register')} lead={t('account.registerLead')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          register.mutate()
        }}
      >
        <Stack maw={400}>
          <EmailField value={email} onChange={setEmail} />
          <TextInput
            label={t('account.name')}
            description={t('account.nameShown')}
            autoComplete="name"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordField value={password} onChange={setPassword} chosen />
          {register.error && <Problem error={register.error} />}
          <Button type="submit" loading={register.isPending} style={{ alignSelf: 'flex-start' }}>
            {t('account.register')}
          </Button>
        </Stack>
      </form>
    </Page>
  )
}
