// The wrong order, on purpose: the router reads the URL before the login is completed.
import { createApp, h } from 'vue';
import { createRouter, createWebHistory, RouterLink, useRoute } from 'vue-router';
import { createAgent } from 'oauth-agent-client';
import { useSession } from 'oauth-agent-client/vue';

const agent = createAgent({ baseUrl: '/oauth-agent' });
const router = createRouter({ history: createWebHistory(), routes: [{ path: '/:rest(.*)', component: {} }] });

const App = {
  setup() {
    const session = useSession(agent);
    const route = useRoute();
    return () => h('main', { 'data-status': session.value.status, 'data-at': route.fullPath }, [
      session.value.status === 'out' && h('button', { onClick: () => agent.login() }, 'Log in'),
      h(RouterLink, { to: '/' }, () => 'Start'),
    ]);
  },
};

createApp(App).use(router).mount('#app');
