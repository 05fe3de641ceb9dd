// The wrong order, on purpose: the router reads the URL before the login is completed.
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Link, useLocation } from 'react-router';
import { RouterProvider } from 'react-router/dom';
import { createAgent } from 'oauth-agent-client';
import { useSession } from 'oauth-agent-client/react';

const agent = createAgent({ baseUrl: '/oauth-agent' });
const router = createBrowserRouter([{ path: '*', element: <App /> }]);

function App() {
  const { status } = useSession(agent);
  const { pathname, search } = useLocation();
  return (
    <main data-status={status} data-at={pathname + search}>
      {status === 'out' && <button onClick={() => agent.login()}>Log in</button>}
      <Link to="/">Start</Link>
    </main>
  );
}

createRoot(document.getElementById('app')).render(<RouterProvider router={router} />);
