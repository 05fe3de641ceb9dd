import '@angular/compiler'; // this example has no build step of Angular's own

import { Component, inject } from '@angular/core';
import { HttpClient, provideHttpClient, withFetch, withInterceptors } from '@angular/common/http';
import { bootstrapApplication } from '@angular/platform-browser';
import { provideRouter, Router, RouterLink, RouterOutlet } from '@angular/router';
import { createAgent } from 'oauth-agent-client';
import { agentInterceptor, injectSession, whenLoaded } from 'oauth-agent-client/angular';

const agent = createAgent({ baseUrl: '/oauth-agent' });

const page = (template) => Component({ selector: 'app-page', template })(class {});

class App {
  session = injectSession(agent);
  router = inject(Router);
  http = inject(HttpClient);

  constructor() {
    window.http = this.http;
  }

  login(options) {
    void agent.login(options);
  }
}

const Root = Component({
  selector: 'app-root',
  imports: [RouterOutlet, RouterLink],
  template: `
    <main [attr.data-status]="session().status" [attr.data-at]="router.url">
      @if (session().error; as error) { <p role="alert">{{ error.code }}</p> }
      @if (session().status === 'out') {
        <button (click)="login()">Log in</button>
        <button (click)="login({ prompt: 'none' })">Log in silently</button>
      }
      <router-outlet />
      <a routerLink="/">Start</a>
    </main>`,
})(App);

await whenLoaded(agent); // the router reads the URL when the application starts

await bootstrapApplication(Root, {
  providers: [
    provideRouter([
      { path: '', component: page('<h1>Start</h1>') },
      { path: 'orders/:id', component: page('<h1>Order</h1>') },
      { path: '**', component: page('<h1>Nothing here</h1>') },
    ]),
    provideHttpClient(withFetch(), withInterceptors([agentInterceptor(agent)])),
  ],
});
