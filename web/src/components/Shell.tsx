import { Anchor, AppShell, Box, Burger, Container, Group, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { isAdmin, useSession } from '../api/session'
import { Choices } from './Choices'
import { PageLink } from './links'
import { Mark } from './Mark'
import { Person } from './Person'

/** What stands around every page. */
export function Shell() {
  const { t } = useTranslation()
  const [opened, drawer] = useDisclosure()
  const { pathname } = useLocation()
  const { data: account } = useSession()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that was opened closes the drawer
  useEffect(() => drawer.close(), [pathname])
  const links = [
    { to: '/search', text: t('shell.search') },
    { to: '/submit', text: t('shell.submit') },
    { to: '/docs', text: t('shell.docs') },
    ...(account ? [{ to: '/mine', text: t('shell.mine') }] : []),
    ...(isAdmin(account) ? [{ to: '/admin', text: t('shell.admin') }] : []),
  ] as const
  const navigation = links.map(({ to, text }) => (
    <PageLink key={to} to={to} c="inherit" underline="hover" fw={500}>
      {text}
    </PageLink>
  ))
  return (
    <AppShell
      header={{ height: 60 }}
      navbar={{ width: 240, breakpoint: 'sm', collapsed: { desktop: true, mobile: !opened } }}
      padding="md"
    >
      <a className="skip" href="#content">
        {t('shell.skip')}
      </a>
      <AppShell.Header>
        <Container size="lg" h="100%">
          <Group h="100%" justify="space-between" wrap="nowrap">
            <Group wrap="nowrap">
              <Burger
                opened={opened}
                onClick={drawer.toggle}
                hiddenFrom="sm"
                size="sm"
                aria-label={t('shell.menu')}
                aria-expanded={opened}
              />
              <PageLink to="/" c="inherit" underline="never">
                <Group gap="xs" wrap="nowrap">
                  <Mark />
                  <Text fw={700} size="lg">
                    Beimingwu
                  </Text>
                </Group>
              </PageLink>
              <Group
                component="nav"
                gap="lg"
                ml="lg"
                visibleFrom="sm"
                aria-label={t('shell.pages')}
              >
                {navigation}
              </Group>
            </Group>
            <Group gap="xs" wrap="nowrap">
              <Box visibleFrom="xs">
                <Choices />
              </Box>
              <Person account={account ?? null} />
            </Group>
          </Group>
        </Container>
      </AppShell.Header>
      <AppShell.Navbar p="md" aria-label={t('shell.pages')} {...(opened ? {} : { inert: true })}>
        <Stack>
          {navigation}
          <Choices />
        </Stack>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Container size="lg" py="lg" px={0}>
          <Outlet />
        </Container>
        <Footer />
      </AppShell.Main>
    </AppShell>
  )
}

function Footer() {
  const { t } = useTranslation()
  return (
    <Container component="footer" size="lg" py="xl" px={0}>
      <Group gap="lg">
        <Text size="sm" c="dimmed">
          {t('shell.footer')}
        </Text>
        <PageLink to="/docs" search={{ tab: 'promises' }} size="sm">
          {t('docs.promises')}
        </PageLink>
        <Anchor size="sm" href="/v1/openapi.json">
          {t('shell.schema')}
        </Anchor>
      </Group>
    </Container>
  )
}
