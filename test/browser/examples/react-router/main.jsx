import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createBrowserRouter, Link, Outlet, useLocation, useParams } from 'react-router';
import { RouterProvider } from 'react-router/dom';
import { createAgent } from 'oauth-agent-client';
import { AgentProvider, useAgent, useSession } from 'oauth-agent-client/react';

const agent = createAgent({ baseUrl: '/oauth-agent' });

const routes = [{
  element: <Layout />,
  children: [
    { path: '/', element: <h1>Start</h1> },
    { path: '/orders/:id', element: <Order /> },
    { path: '*', element: <h1>Nothing here</h1> },
  ],
}];

function Layout() {
  const agent = useAgent();
  const { status, error } = useSession();
  const { pathname, search } = useLocation();
  return (
    <main data-status={status} data-at={pathname + search}>
      {error && <p role="alert">{error.code}</p>}
      {status === 'out' && <button onClick={() => agent.login()}>Log in</button>}
      {status === 'out' && <button onClick={() => agent.login({ prompt: 'none' })}>Log in silently</button>}
      <Outlet />
      <Link to="/">Start</Link>
    </main>
  );
}

function Order() {
  return <h1>Order {useParams().id}</h1>;
}

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <AgentProvider agent={agent} fallback={<Waiting />}>
      {() => <RouterProvider router={createBrowserRouter(routes)} />}
    </AgentProvider>
  </StrictMode>,
);

function Waiting() {
  const { error } = useSession();
  return <main data-status="unknown">{error ? `Trying again: ${error.code}` : 'Loading …'}</main>;
}
