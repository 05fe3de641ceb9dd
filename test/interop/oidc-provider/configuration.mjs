// The provider's configuration: everything that the tests rely on is said here,
// also where it is oidc-provider's default.
import { findAccount } from './users.mjs';

const list = (value) => (value ?? '').split(',').map((v) => v.trim()).filter(Boolean);
const seconds = (value, otherwise) => Number(value || otherwise);

export function configuration(env, state) {
  const idTokenAlg = env.ID_TOKEN_ALG || 'RS256';
  return {
    adapter: state.adapter(),
    jwks: state.jwks(),
    cookies: { keys: state.cookieKeys() },
    clients: [{
      client_id: env.CLIENT_ID,
      client_secret: env.CLIENT_SECRET,
      token_endpoint_auth_method: env.CLIENT_AUTH_METHOD || 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: list(env.REDIRECT_URIS),
      post_logout_redirect_uris: list(env.POST_LOGOUT_REDIRECT_URIS),
      id_token_signed_response_alg: idTokenAlg,
    }],
    enabledJWA: { idTokenSigningAlgValues: [idTokenAlg] },

    findAccount: findAccount(Number(env.CLAIM_CHARS || 0)),
    claims: {
      openid: ['sub', 'filler'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale'],
      email: ['email', 'email_verified'],
    },
    conformIdTokenClaims: false, // the ID token has the scopes' claims, not userinfo alone

    pkce: { required: () => env.PROFILE !== 'no-pkce' },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      ctx.type = 'text/plain';
      ctx.body = `${out.error}: ${out.error_description}\n`;
    },

    // By default a web client gets a refresh token only with offline_access, and
    // keeps it until most of its life is over. Every one is used once here.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,

    ttl: {
      AccessToken: seconds(env.ACCESS_TOKEN_TTL, 300),
      IdToken: seconds(env.ID_TOKEN_TTL, 300),
      RefreshToken: seconds(env.REFRESH_TOKEN_TTL, 3600),
      AuthorizationCode: 60,
      Interaction: 600,
      Session: 3600,
      Grant: 3600,
    },
    formats: {
      bitsOfOpaqueRandomness: (_ctx, token) => (
        ['AccessToken', 'RefreshToken'].includes(token.kind) ? 6 * Number(env.TOKEN_CHARS || 43) : 256
      ),
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      // With an API, access tokens are for that alone, and userinfo takes none of them.
      resourceIndicators: {
        enabled: Boolean(env.API),
        defaultResource: () => env.API,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'openid profile', audience: env.API, accessTokenFormat: 'opaque' }),
      },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: env.REQUIRE_PAR === '1',
      },
    },
  };
}
