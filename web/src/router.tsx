import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from '@tanstack/react-router'
import { readTab } from './components/AddressTabs'
import { Shell } from './components/Shell'
import { TABS as ADMIN } from './pages/admin/tabs'
import { TABS as DOCS } from './pages/docs/tabs'
import { Lost } from './pages/Lost'
import { TABS as MINE } from './pages/mine/tabs'
import { readSearch } from './pages/search/address'

const root = createRootRoute({ component: Shell, notFoundComponent: Lost })
const under = <Path extends string>(path: Path) => ({ getParentRoute: () => root, path })

export interface SignInSearch {
  next?: string
}

/** Every page: a new one is a folder in `pages/` and an entry here. */
const pages = root.addChildren([
  createRoute({
    ...under('/'),
    component: lazyRouteComponent(() => import('./pages/home'), 'Home'),
  }),
  createRoute({
    ...under('/search'),
    validateSearch: readSearch,
    component: lazyRouteComponent(() => import('./pages/search'), 'Search'),
  }),
  createRoute({
    ...under('/learnwares/$id'),
    component: lazyRouteComponent(() => import('./pages/learnware'), 'LearnwarePage'),
  }),
  createRoute({
    ...under('/learnwares/$id/edit'),
    component: lazyRouteComponent(() => import('./pages/submit/Edit'), 'Edit'),
  }),
  createRoute({
    ...under('/docs'),
    validateSearch: readTab(DOCS),
    component: lazyRouteComponent(() => import('./pages/docs'), 'Docs'),
  }),
  createRoute({
    ...under('/submit'),
    component: lazyRouteComponent(() => import('./pages/submit'), 'Submit'),
  }),
  createRoute({
    ...under('/mine'),
    validateSearch: readTab(MINE),
    component: lazyRouteComponent(() => import('./pages/mine'), 'Mine'),
  }),
  createRoute({
    ...under('/admin'),
    validateSearch: readTab(ADMIN),
    component: lazyRouteComponent(() => import('./pages/admin'), 'Admin'),
  }),
  createRoute({
    ...under('/sign-in'),
    validateSearch: (given: Record<string, unknown>): SignInSearch =>
      typeof given.next === 'string' && /^\/(?!\/)/.test(given.next) ? { next: given.next } : {},
    component: lazyRouteComponent(() => import('./pages/account/SignIn'), 'SignIn'),
  }),
  createRoute({
    ...under('/register'),
    component: lazyRouteComponent(() => import('./pages/account/Register'), 'Register'),
  }),
  createRoute({
    ...under('/confirm'),
    component: lazyRouteComponent(() => import('./pages/account/Confirm'), 'Confirm'),
  }),
  createRoute({
    ...under('/reset'),
    component: lazyRouteComponent(() => import('./pages/account/Reset'), 'Reset'),
  }),
  createRoute({
    ...under('/device'),
    component: lazyRouteComponent(() => import('./pages/account/Device'), 'Device'),
  }),
])

export const router = createRouter({
  routeTree: pages,
  defaultPreload: 'intent',
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
