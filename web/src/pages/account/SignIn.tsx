import { Button, Group, Stack } from '@mantine/core'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSignIn } from '../../api/session'
import { EmailField, PasswordField } from '../../components/fields'
import { PageLink } from '../../components/links'
import { Page } from '../../components/Page'
import { Problem } from '../../components/Problem'

export function SignIn() {
  const { t } = useTranslation()
  const { next } = useSearch({ from: '/sign-in' })
  const router = useRouter()
  const signIn = useSignIn()
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  return (
    <Page title={t('account.signIn')}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          signIn.mutate(
            { email, password },
            { onSuccess: () => router.history.push(next ?? '/mine') },
          )
        }}
      >
        <Stack maw={400}>
          <EmailField value={email} onChange={setEmail} username />
          <PasswordField value={password} onChange={setPassword} />
          {signIn.error && <Problem error={signIn.error} />}
          <Group>
            <Button type="submit" loading={signIn.isPending}>
              {t('account.signIn')}
            </Button>
            <PageLink to="/register" size="sm">
              {t('account.register')}
            </PageLink>
            <PageLink to="/reset" size="sm">
              {t('account.forgot')}
            </PageLink>
          </Group>
        </Stack>
      </form>
    </Page>
  )
}
