import { Button, Menu } from '@mantine/core'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Account } from '../api/client'
import { useSignOut } from '../api/session'
import { ButtonLink, MenuLink } from './links'

/** Who is signed in, and what is theirs. */
export function Person({ account }: { account: Account | null }) {
  const { t } = useTranslation()
  const { href } = useLocation()
  const navigate = useNavigate()
  const signOut = useSignOut()
  if (!account) {
    return (
      <ButtonLink to="/sign-in" search={{ next: href }} size="sm" variant="default">
        {t('shell.signIn')}
      </ButtonLink>
    )
  }
  const leave = () => signOut.mutate(undefined, { onSuccess: () => navigate({ to: '/' }) })
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" size="sm" maw={160}>
          {account.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{account.email}</Menu.Label>
        <MenuLink to="/mine">{t('shell.mine')}</MenuLink>
        <Menu.Item onClick={leave}>{t('shell.signOut')}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
