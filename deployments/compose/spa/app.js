import { createAgent } from '/oauth-agent/client.js';

const agent = createAgent({ baseUrl: '/oauth-agent', cookiePrefix: 'example', apiPaths: ['/api/'] });
const find = (id) => document.getElementById(id);

find('login').onclick = () => agent.login();
find('logout').onclick = () => agent.logout();

async function show() {
  const { isLoggedIn, error } = await agent.onPageLoad();
  find('login').hidden = isLoggedIn;
  find('logout').hidden = !isLoggedIn;
  if (!isLoggedIn) {
    find('state').textContent = error ? `The login failed: ${error.message}` : 'Nobody is logged in.';
    return;
  }
  const user = await agent.userInfo();
  find('state').textContent = `${user.name ?? user.sub} is logged in.`;
  const orders = await (await agent.fetch('/api/orders')).json();
  find('orders').replaceChildren(...orders.map((order) => {
    const line = document.createElement('li');
    line.textContent = order.item;
    return line;
  }));
}

show().catch((error) => { find('state').textContent = error.message; });
