// Package config holds the settings: one YAML file, overridden by environment
// variables. The comments of [Config] are the manual.
//
// [Load] is strict: an unknown key, a missing one, a secret of the wrong size
// and an unsafe combination are all told at once, as [Mistakes], and there are
// no default secrets.
package config

import (
	"time"

	"oauth-agent/agent/internal/secret"
)

// Config is the settings of one process: what it has once, and its app. Durations
// are written as 10s, 5m, 8h.
type Config struct {
	Server `yaml:",inline"`
	App    `yaml:",inline"`
}

// Server is the settings that a process has once, however many apps it serves.
type Server struct {
	// Port to listen on.
	Port int `yaml:"port" env:"PORT"`
	// BindAddress is the IP address to listen on; empty means all of them.
	BindAddress string `yaml:"bind_address" env:"BIND_ADDRESS"`
	TLS         TLS    `yaml:"tls"`
	// AdminAddr is where the operator's endpoints listen (/livez, /readyz,
	// /metrics, /buildinfo), an address with a port; "off" for none. They are
	// open to whoever reaches it. Empty: [DefaultAdminAddr], or nowhere if that is
	// taken.
	AdminAddr string   `yaml:"admin_addr" env:"ADMIN_ADDR"`
	Timeouts  Timeouts `yaml:"timeouts"`
	Log       Log      `yaml:"log"`
	Tracing   Tracing  `yaml:"tracing"`
	Limits    Limits   `yaml:"limits"`
	// ShutdownDelay is how long the process goes on as before after SIGTERM,
	// but for /readyz, so that balancers notice.
	ShutdownDelay time.Duration `yaml:"shutdown_delay" env:"SHUTDOWN_DELAY"`
	// ReloadEvery is how often the files of the settings are looked at for
	// changes; 0: on SIGHUP alone.
	ReloadEvery time.Duration `yaml:"reload_every" env:"RELOAD_EVERY"`
	// ForwardAuth answers gateways that do the proxying themselves.
	ForwardAuth ForwardAuth `yaml:"forward_auth"`
	// TrustedProxies are the addresses (or CIDR blocks) of the proxies in front
	// whose Forwarded and X-Forwarded-* headers are passed on, and whose word is
	// taken for the client's address and the request's identifier; without any,
	// such headers are replaced.
	TrustedProxies List `yaml:"trusted_proxies" env:"TRUSTED_PROXIES"`
	// PKCEProxy adds RFC 7636 in front of an authorization server without it.
	PKCEProxy PKCEProxy `yaml:"pkce_proxy"`
}

// App is the settings of one app: an issuer, a client, a page, its cookies and its
// APIs.
type App struct {
	// BasePath is what the agent's endpoints are under; "/" works too.
	BasePath string `yaml:"base_path" env:"BASE_PATH"`
	// PublicURL is the scheme and host under which browsers reach the agent.
	// Empty: X-Forwarded-Host of a trusted proxy, or else the Host of each request,
	// and https whenever cookies are Secure. A page of the agent's own origin says
	// by itself where that is.
	PublicURL string `yaml:"public_url" env:"PUBLIC_URL"`
	// Issuer of the authorization server, as its metadata and its ID tokens
	// name it; discovery starts from it (OpenID Connect Discovery 1.0, RFC 8414),
	// also where all endpoints are given. It may have {tenantid} in its path, as
	// Entra ID's for many tenants has; then iss of an ID token must be it with the
	// token's tid.
	Issuer string `yaml:"issuer" env:"ISSUER"`
	// Tenants are the values of tid that are accepted then, or "any".
	Tenants Tenants `yaml:"tenants" env:"TENANTS"`
	// MetadataURL is where the metadata is, if not at the issuer: a document of
	// another tenant, or an address inside. Its issuer must be the Issuer.
	MetadataURL string `yaml:"metadata_url" env:"METADATA_URL"`
	// Endpoints override what discovery says, or replace it.
	Endpoints Endpoints `yaml:"endpoints"`
	// ClientID and ClientSecret are the agent's registration at the
	// authorization server.
	ClientID         string        `yaml:"client_id" env:"CLIENT_ID"`
	ClientSecret     secret.String `yaml:"client_secret" env:"CLIENT_SECRET"`
	ClientSecretFile string        `yaml:"client_secret_file" env:"CLIENT_SECRET_FILE"`
	// ClientAuthMethod is auto (as the authorization server announces), basic
	// or post (RFC 6749 2.3.1).
	ClientAuthMethod string `yaml:"client_auth_method" env:"CLIENT_AUTH_METHOD"`
	// RedirectURI is the page of the SPA that the authorization server returns
	// the browser to, exactly as registered there.
	RedirectURI string `yaml:"redirect_uri" env:"REDIRECT_URI"`
	// PostLogoutRedirectURI is where the browser goes after logout. Empty: the
	// first trusted origin, and none is sent to the authorization server.
	PostLogoutRedirectURI string `yaml:"post_logout_redirect_uri" env:"POST_LOGOUT_REDIRECT_URI"`
	// Scope to ask for, separated by spaces.
	Scope string `yaml:"scope" env:"SCOPE"`
	// AllowScopeWidening lets the SPA ask for scopes beyond Scope.
	AllowScopeWidening bool `yaml:"allow_scope_widening" env:"ALLOW_SCOPE_WIDENING"`
	// TrustedAudiences, when set, are the only audiences that an ID token may
	// have beside the client id; they need no azp then.
	TrustedAudiences List `yaml:"trusted_audiences" env:"TRUSTED_AUDIENCES"`
	// TrustedWebOrigins are the origins of the SPA, as a browser writes them:
	// https://www.example.com.
	TrustedWebOrigins List `yaml:"trusted_web_origins" env:"TRUSTED_WEB_ORIGIN"`
	// CORSEnabled sends CORS headers: needed when the SPA's origin is not the
	// agent's own.
	CORSEnabled bool    `yaml:"cors_enabled" env:"CORS_ENABLED"`
	Cookie      Cookie  `yaml:"cookie"`
	Session     Session `yaml:"session"`
	Logout      Logout  `yaml:"logout"`
	Refresh     Refresh `yaml:"refresh"`
	// Routes are the APIs that the OAuth Proxy passes calls on to.
	Routes Routes `yaml:"routes" env:"ROUTES"`
	// SPA is the page, for one binary as the whole front end.
	SPA SPA `yaml:"spa"`
	// InsecureHTTP accepts http:// for the authorization server and the SPA
	// beyond loopback. Tokens and cookies then travel in clear.
	InsecureHTTP bool `yaml:"insecure_http" env:"INSECURE_HTTP"`
}

// TLS is the certificate of the listener; none means plain HTTP.
type TLS struct {
	CertFile string `yaml:"cert_file" env:"SERVER_CERT_FILE"` // PEM, leaf first
	KeyFile  string `yaml:"key_file" env:"SERVER_KEY_FILE"`   // PEM
}

// Endpoints of the authorization server. When authorize, token and (for openid)
// jwks are all set, discovery may fail, or there may be no issuer.
type Endpoints struct {
	Authorize  string `yaml:"authorize" env:"AUTHORIZE_ENDPOINT"`
	Token      string `yaml:"token" env:"TOKEN_ENDPOINT"`
	Userinfo   string `yaml:"userinfo" env:"USERINFO_ENDPOINT"`
	Logout     string `yaml:"logout" env:"LOGOUT_ENDPOINT"`
	JWKS       string `yaml:"jwks" env:"JWKS_ENDPOINT"`
	Revocation string `yaml:"revocation" env:"REVOCATION_ENDPOINT"`
}

// Cookie is how cookies are named, scoped and sealed.
type Cookie struct {
	// NamePrefix is the <prefix> of <prefix>-at and of the header x-<prefix>-csrf.
	NamePrefix string `yaml:"name_prefix" env:"COOKIE_NAME_PREFIX"`
	// EncryptionKeys are 64 hexadecimal characters each. The first one seals,
	// all of them open.
	EncryptionKeys     Secrets `yaml:"encryption_keys" env:"COOKIE_ENCRYPTION_KEY"`
	EncryptionKeysFile string  `yaml:"encryption_keys_file" env:"COOKIE_ENCRYPTION_KEY_FILE"`
	// KeyCreated is the day on which the first key was made, as 2026-11-21, for
	// the metric of its age. Empty: the time of encryption_keys_file, or else the
	// start of the process.
	KeyCreated string `yaml:"key_created" env:"COOKIE_KEY_CREATED"`
	// KeyGrace is how long a new first key only opens after a reload that brought
	// it, while the key before goes on sealing: other replicas may not have it yet.
	KeyGrace time.Duration `yaml:"key_grace" env:"COOKIE_KEY_GRACE"`
	// Domain widens the cookies to the subdomains of a domain; empty is safer.
	Domain string `yaml:"domain" env:"COOKIE_DOMAIN"`
	// BasePath is the path of the cookies that API calls do not need; empty
	// means the agent's base path. "/" sends the refresh token with API calls.
	BasePath string `yaml:"base_path" env:"COOKIE_BASE_PATH"`
	// Prefixes puts __Host-Http- or __Secure- before the names of Secure cookies.
	Prefixes bool `yaml:"prefixes" env:"COOKIE_PREFIXES"`
}

// Session bounds a session.
type Session struct {
	// Lifetime is the longest a session lasts from its login on; 0: as long as
	// the browser runs and the authorization server allows.
	Lifetime time.Duration `yaml:"lifetime" env:"SESSION_LIFETIME"`
	// Claims lets GET /session tell the claims of the ID token.
	Claims bool `yaml:"claims" env:"SESSION_CLAIMS"`
}

// Logout is how the SPA leaves.
type Logout struct {
	// URL is "continue": /logout answers with the agent's /logout/continue,
	// which redirects with id_token_hint; or "direct": it answers with the
	// authorization server's own URL, without the hint.
	URL string `yaml:"url" env:"LOGOUT_URL"`
}

// Refresh is how rotated refresh tokens survive parallel and late calls.
type Refresh struct {
	// Memory is how long the outcome of a refresh is kept for late calls.
	Memory time.Duration `yaml:"memory" env:"REFRESH_MEMORY"`
	// MemoryBytes is the most that is kept, in bytes.
	MemoryBytes int `yaml:"memory_bytes" env:"REFRESH_MEMORY_BYTES"`
	// Inline refreshes access tokens on the way of an API call, Ahead of their
	// expiry. It needs cookie.base_path "/", so that calls carry the refresh token.
	Inline bool          `yaml:"inline" env:"REFRESH_INLINE"`
	Ahead  time.Duration `yaml:"ahead" env:"REFRESH_AHEAD"`
}

// Timeouts bound what crosses the network.
type Timeouts struct {
	// AuthorizationServer bounds each call to it, to the last byte.
	AuthorizationServer time.Duration `yaml:"authorization_server" env:"AUTHORIZATION_SERVER_TIMEOUT"`
	// Request bounds the reading of a request to the agent.
	Request time.Duration `yaml:"request" env:"REQUEST_TIMEOUT"`
	// Write is how long a client may take nothing of what is sent to it.
	Write time.Duration `yaml:"write" env:"WRITE_TIMEOUT"`
	// SocketGrace is how long a WebSocket may outlive the access token that it
	// was opened with.
	SocketGrace time.Duration `yaml:"socket_grace" env:"SOCKET_GRACE"`
	// Shutdown is how long running requests may take after SIGTERM, and after
	// them the calls to the authorization server that nobody waits for.
	Shutdown time.Duration `yaml:"shutdown" env:"SHUTDOWN_TIMEOUT"`
}

// Log is what is written to standard error.
type Log struct {
	Level  string `yaml:"level" env:"LOG_LEVEL"`   // debug, info, warn, error
	Format string `yaml:"format" env:"LOG_FORMAT"` // text or json
	// Access writes a line for each request.
	Access bool `yaml:"access" env:"LOG_ACCESS"`
	// ClientAddress puts the client's IP address into these lines and into those
	// of security events.
	ClientAddress bool `yaml:"client_address" env:"LOG_CLIENT_ADDRESS"`
	// SubjectKey, 64 hexadecimal characters, puts a keyed hash of the user's
	// subject into the lines of security events; without it they name nobody.
	SubjectKey     secret.String `yaml:"subject_key" env:"LOG_SUBJECT_KEY"`
	SubjectKeyFile string        `yaml:"subject_key_file" env:"LOG_SUBJECT_KEY_FILE"`
}

// Tracing exports spans (OTLP over HTTP). Trace context (W3C traceparent) is
// passed on with or without it.
type Tracing struct {
	// Endpoint is the collector's URL for traces, such as
	// http://127.0.0.1:4318/v1/traces; empty: no export.
	Endpoint string `yaml:"endpoint" env:"TRACING_ENDPOINT"`
	// SampleRatio is the part of the requests that is exported, 0 to 1.
	SampleRatio float64 `yaml:"sample_ratio" env:"TRACING_SAMPLE_RATIO"`
	// ServiceName is what the collector shows.
	ServiceName string `yaml:"service_name" env:"TRACING_SERVICE_NAME"`
}

// Limits bound what clients may ask for.
type Limits struct {
	// Connections is how many the ports for browsers and gateways accept together,
	// and how many requests are served at a time.
	Connections int `yaml:"connections" env:"LIMIT_CONNECTIONS"`
	// PerAddress is how many of either one client address may hold, behind trusted
	// proxies the one that they name; 0: a quarter.
	PerAddress int `yaml:"per_address" env:"LIMIT_PER_ADDRESS"`
	// Requests a minute of one client address; 0: no limit. An IPv6 client counts
	// by its /64.
	LoginStart int `yaml:"login_start" env:"LIMIT_LOGIN_START"` // POST /login/start
	TokenCalls int `yaml:"token" env:"LIMIT_TOKEN"`             // POST /oauth/token and /oauth/revoke
	// Addresses is how many of them are remembered; the longest unseen goes first.
	Addresses int `yaml:"addresses" env:"LIMIT_ADDRESSES"`
}

// PKCEProxy is the settings of the PKCE proxy, see [Config.HasPKCEProxy].
type PKCEProxy struct {
	// ClientID and ClientSecret are the proxy's registration at the
	// authorization server.
	ClientID         string        `yaml:"client_id" env:"OAUTH_CLIENT_ID"`
	ClientSecret     secret.String `yaml:"client_secret" env:"OAUTH_CLIENT_SECRET"`
	ClientSecretFile string        `yaml:"client_secret_file" env:"OAUTH_CLIENT_SECRET_FILE"`
	// AuthMethod is auto, basic or post.
	AuthMethod string `yaml:"auth_method" env:"OAUTH_AUTH_METHOD"`
	// AuthURL, TokenURL and RevocationURL are the authorization server's.
	AuthURL       string `yaml:"auth_url" env:"OAUTH_AUTH_URL"`
	TokenURL      string `yaml:"token_url" env:"OAUTH_TOKEN_URL"`
	RevocationURL string `yaml:"revocation_url" env:"OAUTH_REVOCATION_URL"`
	// RedirectURL is this proxy's /callback, as registered there.
	RedirectURL string `yaml:"redirect_url" env:"OAUTH_REDIRECT_URL"`
	// SigningKey and EncryptionKey seal the proxy's state and codes: 64
	// hexadecimal characters, or 32 raw bytes. They must differ.
	SigningKey        secret.String `yaml:"signing_key" env:"JWT_SIGNING_KEY"`
	SigningKeyFile    string        `yaml:"signing_key_file" env:"JWT_SIGNING_KEY_FILE"`
	EncryptionKey     secret.String `yaml:"encryption_key" env:"ENCRYPTION_KEY"`
	EncryptionKeyFile string        `yaml:"encryption_key_file" env:"ENCRYPTION_KEY_FILE"`
	// AllowedRedirectURIs are the redirect URIs of the client apps, compared
	// exactly; a loopback address matches with any port (RFC 8252 7.3).
	AllowedRedirectURIs List `yaml:"allowed_redirect_uris" env:"OAUTH_ALLOWED_REDIRECT_URIS"`
	// AllowedClientIDs are the client apps' own ids; empty means any.
	AllowedClientIDs List `yaml:"allowed_client_ids" env:"OAUTH_ALLOWED_CLIENT_IDS"`
	// AllowPlain accepts code_challenge_method=plain.
	AllowPlain bool `yaml:"allow_plain" env:"OAUTH_ALLOW_PLAIN"`
}

// defaults are the settings of an empty file.
func defaults() *Config {
	return &Config{
		Server: Server{
			Port: 8080,
			Timeouts: Timeouts{
				AuthorizationServer: 10 * time.Second,
				Request:             10 * time.Second,
				Write:               time.Minute,
				SocketGrace:         time.Minute,
				Shutdown:            20 * time.Second,
			},
			Log:         Log{Level: "info", Format: "text", Access: true},
			Tracing:     Tracing{SampleRatio: 1, ServiceName: "oauth-agent"},
			Limits:      Limits{Connections: 4096, LoginStart: 300, TokenCalls: 300, Addresses: 1 << 16},
			ReloadEvery: 10 * time.Second,
			PKCEProxy:   PKCEProxy{AuthMethod: "auto"},
		},
		App: App{
			BasePath:         "/oauth-agent",
			Scope:            "openid profile",
			CORSEnabled:      true,
			Cookie:           Cookie{NamePrefix: "agent", Prefixes: true, KeyGrace: 5 * time.Minute},
			Logout:           Logout{URL: "continue"},
			Refresh:          Refresh{Memory: time.Minute, MemoryBytes: 64 << 20, Ahead: 30 * time.Second},
			ClientAuthMethod: "auto",
		},
	}
}
