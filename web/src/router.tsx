import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from '@tanstack/react-router'
import { Shell } from './components/Shell'
import { readTab as readAdminTab } from './pages/admin/tabs'
import { readPart } from './pages/docs/parts'
import { Lost } from './pages/Lost'
import { readTab } from './pages/mine/tabs'
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
    validateSearch: readPart,
    component: lazyRouteComponent(() => import('./pages/docs'), 'Docs'),
  }),
  createRoute({
    ...under('/submit'),
    component: lazyRouteComponent(() => import('./pages/submit'), 'Submit'),
  }),
  createRoute({
    ...under('/mine'),
    validateSearch: readTab,
    component: lazyRouteComponent(() => import('./pages/mine'), 'Mine'),
  }),
  createRoute({
    ...under('/admin'),
    validateSearch: readAdminTab,
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
