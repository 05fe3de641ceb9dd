import { createApp, h, ref, watchEffect } from 'vue';
import { createAgent } from 'oauth-agent-client';
import { useSession } from 'oauth-agent-client/vue';

const agent = createAgent({ baseUrl: '/oauth-agent' });

const App = {
  setup() {
    const session = useSession(agent);
    const name = ref('');
    watchEffect(async () => {
      name.value = session.value.status === 'in' ? (await agent.userInfo()).name : '';
    });
    return () => {
      const { status, error } = session.value;
      return h('main', { 'data-status': status }, [
        error && h('p', { role: 'alert' }, error.code),
        status === 'out' && h('button', { onClick: () => agent.login() }, 'Log in'),
        status === 'in' && [h('h1', `Hello, ${name.value}`), h('button', { onClick: () => agent.logout() }, 'Log out')],
      ]);
    };
  },
};

createApp(App).mount('#app');
