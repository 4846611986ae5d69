import '@fontsource/source-sans-3/latin-400.css'
import '@fontsource/source-sans-3/latin-600.css'
import '@fontsource/jetbrains-mono/latin-400.css'
import './theme/tokens.css'
import './theme/base.css'
import './dock/dockview.css'
import './dock/dock-theme.css'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { receiveEvents } from './bridge'
import { giveStylesTheirNonce } from './bridge/style-nonce'

giveStylesTheirNonce()
receiveEvents()
createApp(App).use(createPinia()).mount('#app')
