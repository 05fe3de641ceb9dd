import { StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createAgent } from 'oauth-agent-client';
import { useSession } from 'oauth-agent-client/react';

const agent = createAgent({ baseUrl: '/oauth-agent' });

function App() {
  const { status, error } = useSession(agent);
  return (
    <main data-status={status}>
      {error && <p role="alert">{error.code}</p>}
      {status === 'out' && <button onClick={() => agent.login()}>Log in</button>}
      {status === 'in' && <Home />}
    </main>
  );
}

function Home() {
  const [name, setName] = useState('');
  useEffect(() => void agent.userInfo().then((info) => setName(info.name)), []);
  return (
    <>
      <h1>Hello, {name}</h1>
      <button onClick={() => agent.logout()}>Log out</button>
    </>
  );
}

createRoot(document.getElementById('app')).render(<StrictMode><App /></StrictMode>);
