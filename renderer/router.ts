import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { admit } from './admission.ts'
import { ARRIVALS } from './arrivals.ts'
import { ownPath } from './return-url.ts'
import { useConnection } from './stores/connection.ts'
import { useSession } from './stores/session.ts'

const routes: RouteRecordRaw[] = [
  {
    path: '/login',
    name: 'login',
    component: () => import('./pages/LoginPage.vue'),
    meta: { public: true },
    props: (to) => ({ returnUrl: ownPath(to.query['returnUrl']), adding: to.query['add'] !== undefined }),
  },
  {
    path: '/login/token',
    name: 'login-token',
    component: () => import('./pages/LoginTokenPage.vue'),
    meta: { public: true, anyone: true },
  },
  ...arrivals(),
  {
    path: '/pair',
    name: 'pair',
    component: () => import('./pages/PairPage.vue'),
    meta: { public: true, anyone: true },
  },
  {
    path: '/pair/done',
    name: 'pair-done',
    component: () => import('./pages/PairDonePage.vue'),
    meta: { public: true, anyone: true },
  },
  { path: '/setup', name: 'setup', component: () => import('./pages/SetupPage.vue'), meta: { public: true } },
  {
    path: '/',
    component: () => import('./components/shell/ConsoleShell.vue'),
    children: [
      { path: '', name: 'overview', component: () => import('./pages/OverviewPage.vue') },
      { path: 'account', name: 'account', component: () => import('./pages/AccountPage.vue') },
      {
        path: 'users',
        name: 'users',
        component: () => import('./pages/UsersPage.vue'),
        meta: { permission: 'USER_CONFIG' },
      },
      {
        path: 'login-tokens',
        name: 'login-tokens',
        component: () => import('./pages/LoginTokensPage.vue'),
        meta: { permission: 'LOGIN_TOKENS' },
      },
      {
        path: 'access',
        name: 'access',
        component: () => import('./pages/AccessPage.vue'),
        meta: { permission: 'USER_CONFIG' },
      },
      {
        path: 'audit',
        name: 'audit',
        component: () => import('./pages/AuditPage.vue'),
        meta: { permission: 'AUDIT_LOG' },
      },
      {
        path: 'settings',
        name: 'settings',
        component: () => import('./pages/SettingsPage.vue'),
        meta: { permission: 'SETTINGS' },
      },
      { path: ':path(.*)*', name: 'not-found', component: () => import('./pages/NotFoundPage.vue') },
    ],
  },
]

/** Where the provider's browser lands after a flow, with an exchange token. */
function arrivals(): RouteRecordRaw[] {
  return Object.entries(ARRIVALS).map(([kind, path]) => ({
    path,
    name: `arrival-${kind}`,
    component: () => import('./pages/ArrivalPage.vue'),
    meta: { public: true, anyone: true },
    props: { kind },
  }))
}

export function createAppRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    // A page that keeps what it shows in its own address stays where it is.
    scrollBehavior: (to, from, saved) =>
      saved ?? (to.path === from.path ? false : to.hash ? { el: to.hash } : { top: 0 }),
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    await session.ready()
    return admit(to, session)
  })
  // A part of the page could not be fetched: wait for the server, then ask anew for the address, whose parts may be newer.
  router.onError(
    (_error, to) =>
      void useConnection()
        .lost()
        .then(() => location.assign(to.fullPath)),
  )
  return router
}
