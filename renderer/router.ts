import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { admit } from './admission.ts'
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
    meta: { public: true },
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
        path: 'settings',
        name: 'settings',
        component: () => import('./pages/SettingsPage.vue'),
        meta: { permission: 'SETTINGS' },
      },
      { path: ':path(.*)*', name: 'not-found', component: () => import('./pages/NotFoundPage.vue') },
    ],
  },
]

export function createAppRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
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
