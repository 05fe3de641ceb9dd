import { createApp, h } from 'vue';
import { createRouter, createWebHistory, RouterLink, RouterView, useRoute } from 'vue-router';
import { createAgent } from 'oauth-agent-client';
import { useSession, whenLoaded } from 'oauth-agent-client/vue';

const agent = createAgent({ baseUrl: '/oauth-agent' });

const text = (value) => ({ render: () => h('h1', value) });
const Order = {
  setup() {
    const route = useRoute();
    return () => h('h1', `Order ${route.params.id}`);
  },
};

const App = {
  setup() {
    const session = useSession(agent);
    const route = useRoute();
    return () => {
      const { status, error } = session.value;
      return h('main', { 'data-status': status, 'data-at': route.fullPath }, [
        error && h('p', { role: 'alert' }, error.code),
        status === 'out' && h('button', { onClick: () => agent.login() }, 'Log in'),
        status === 'out' && h('button', { onClick: () => agent.login({ prompt: 'none' }) }, 'Log in silently'),
        h(RouterView),
        h(RouterLink, { to: '/' }, () => 'Start'),
      ]);
    };
  },
};

await whenLoaded(agent); // the router reads the URL when it is made

const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: text('Start') },
    { path: '/orders/:id', component: Order },
    { path: '/:rest(.*)', component: text('Nothing here') },
  ],
});
createApp(App).use(router).mount('#app');
