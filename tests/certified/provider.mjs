// A certified OpenID provider, configured as strictly as it lets itself be, for the tests.
//
//   node provider.mjs '{"port": 4000, "issuer": "http://localhost:4000", "key": {…a private JWK…},
//                       "clients": [{"client_id": "…", "redirect_uris": ["…"]}]}'
//
// The key comes from outside: about one start in a hundred hung while Node made one itself.
//
// It prints "ready" once it answers. Beside the protocol it has, for the tests alone:
//   GET  /_log          what was asked of it so far, as counts
//   POST /_log/reset    start counting anew
//   GET  /_frame?src=…  a page with that address in a frame, as a logout page has it
//   POST /_manners      how it behaves from now on: {"slow_next_ms": 0, "refuse_codes": 0,
//                       "short_next_s": 0, "continue_page": false}
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { port, issuer, clients, key } = JSON.parse(process.argv[2]);

const EVENTS = {
  'grant.success': 'grant_success',
  'grant.error': 'grant_errors',
  'grant.revoked': 'grant_revoked',
  'revocation.error': 'revocation_errors',
  'authorization.accepted': 'authorization_accepted',
  'authorization.error': 'authorization_errors',
  'end_session.success': 'end_sessions',
  'backchannel.success': 'backchannel_logouts',
  'backchannel.error': 'backchannel_errors',
  'access_token.destroyed': 'access_tokens_destroyed',
  'refresh_token.destroyed': 'refresh_tokens_destroyed',
  server_error: 'server_errors',
};
const PATHS = { '/token': 'token_requests', '/me': 'userinfo_requests' };
const nothingYet = () =>
  Object.fromEntries([...Object.values(EVENTS), ...Object.values(PATHS)].map((name) => [name, 0]));

let log = nothingYet();
let manners = { slow_next_ms: 0, refuse_codes: 0, short_next_s: 0, continue_page: false };

const page = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8">
<title>${title}</title><main><h1>${title}</h1>${body}</main></html>`;

const safe = (text) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

const provider = new Provider(issuer, {
  clients: clients.map((client) => ({
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...client,
  })),
  claims: {
    openid: ['sub'],
    profile: ['name', 'preferred_username'],
    email: ['email', 'email_verified'],
  },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  jwks: { keys: [key] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: () => {
      const short = manners.short_next_s;
      manners.short_next_s = 0;
      return short || 600;
    },
  },
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_ctx, resource) => ({ audience: resource, scope: '' }),
    },
    userinfo: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page(
          'Sign out',
          `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>`,
        );
      },
    },
  },
  // Its own dispatcher refuses loopback addresses (request forgery); here the site is at one.
  fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({
      sub,
      name: `Test ${sub}`,
      preferred_username: sub,
      email: `${sub}@example.com`,
      email_verified: true,
    }),
  }),
  // Consent is not what these tests are about: it is given as soon as it is asked for.
  loadExistingGrant: async (ctx) => {
    const { client, session, result } = ctx.oidc;
    const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    const found = known && (await ctx.oidc.provider.Grant.find(known));
    if (found) return found;
    const grant = new ctx.oidc.provider.Grant({
      clientId: client.clientId,
      accountId: session.accountId,
    });
    grant.addOIDCScope('openid profile email offline_access');
    await grant.save();
    return grant;
  },
  renderError: (ctx, out) => {
    ctx.type = 'html';
    ctx.body = page('Provider error', `<p>${safe(out.error)}: ${safe(out.error_description ?? '')}</p>`);
  },
});

for (const [event, counter] of Object.entries(EVENTS)) {
  provider.on(event, (ctx, error) => {
    log[counter] += 1;
    if (error?.error_description) console.log(event, error.error_description, error.error_detail ?? '');
  });
}

// For the tests alone.
provider.use(async (ctx, next) => {
  const asked = `${ctx.method} ${ctx.path}`;
  if (asked === 'GET /_log') {
    ctx.body = log;
  } else if (asked === 'POST /_log/reset') {
    log = nothingYet();
    ctx.body = log;
  } else if (asked === 'GET /_frame') {
    ctx.body = page('Signing out', `<iframe src="${safe(ctx.query.src)}"></iframe>`);
  } else if (asked === 'POST /_manners') {
    manners = { ...manners, ...JSON.parse(await bodyOf(ctx.req)) };
    ctx.body = manners;
  } else {
    await next();
  }
});

provider.use(async (ctx, next) => {
  if (Object.hasOwn(PATHS, ctx.path)) log[PATHS[ctx.path]] += 1;
  if (ctx.path === '/token') {
    const delay = manners.slow_next_ms;
    manners.slow_next_ms = 0;
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
  if (ctx.path === '/token' && manners.refuse_codes > 0) {
    manners.refuse_codes -= 1;
    ctx.status = 400;
    ctx.body = { error: 'invalid_grant', error_description: 'grant request is invalid' };
  } else {
    await next();
  }
});

// The sign-in page: a name, a button, and a way to cancel.
provider.use(async (ctx, next) => {
  const [, uid, action] = ctx.path.match(/^\/interaction\/([\w-]+)(?:\/(login|cancel))?$/) ?? [];
  if (!uid) {
    await next();
  } else if (ctx.method === 'GET') {
    await provider.interactionDetails(ctx.req, ctx.res);
    ctx.type = 'html';
    ctx.body = page(
      'Sign in at the provider',
      `<form method="post" action="/interaction/${uid}/login">
       <label>User name <input name="login" required></label> <button>Sign in</button></form>
       <form method="post" action="/interaction/${uid}/cancel"><button>Cancel</button></form>`,
    );
  } else {
    const form = new URLSearchParams(await bodyOf(ctx.req));
    const result =
      action === 'login'
        ? { login: { accountId: form.get('login') } }
        : { error: 'access_denied', error_description: 'the user cancelled' };
    const location = await provider.interactionResult(ctx.req, ctx.res, result);
    ctx.status = 303;
    ctx.redirect(location);
  }
});

// A provider that ends with a button of its own, which an impatient user clicks twice.
provider.use(async (ctx, next) => {
  await next();
  const target = ctx.response.get('location');
  if (!manners.continue_page || !target || !new URL(target, issuer).searchParams.has('code')) return;
  const url = new URL(target);
  const fields = [...url.searchParams]
    .map(([name, value]) => `<input type="hidden" name="${safe(name)}" value="${safe(value)}">`)
    .join('');
  ctx.status = 200;
  ctx.remove('location');
  ctx.type = 'html';
  ctx.body = page(
    'You are signed in',
    `<form action="${safe(url.origin + url.pathname)}">${fields}<button>Continue</button></form>`,
  );
});

createServer(provider.callback()).listen(port, '127.0.0.1', () => console.log('ready', port));
