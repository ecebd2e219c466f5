import 'vuetify/styles/core'
import './styles/base.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n } from './i18n/index.ts'
import { createAppRouter } from './router.ts'
import { SECRET_PATHS, takeSecret } from './secret-link.ts'
import { usePreferences } from './stores/preferences.ts'
import { useSession } from './stores/session.ts'
import { createKit } from './vuetify.ts'

// Before the router notes the address, and before anything is asked of the server.
for (const path of SECRET_PATHS) takeSecret(path)

const pinia = createPinia()
const app = createApp(App).use(pinia).use(i18n)

const preferences = usePreferences(pinia)
// Asked early: who is signed in, the texts and the page travel side by side.
void useSession(pinia).ready()
if (location.pathname === '/login') void import('./pages/LoginPage.vue')
await preferences.hydrate()

app.use(createKit(preferences.theme)).use(createAppRouter()).mount('#app')
