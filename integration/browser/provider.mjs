// An OpenID provider for tests: the real oidc-provider, with invented people.
//
//   node provider.mjs '{"clients": [...], "accounts": [...]}'
//
// clients are client metadata (OpenID Connect Dynamic Client Registration 1.0,
// section 2). accounts are people: sub, name, roles, and whatever else their
// ID token is to say; a person signs in with sub as the name and "fileroom" as
// the password. issuer, if given, is what the provider calls itself; else it is
// where it listens.
//
// It listens on a free port of 127.0.0.1, prints {"issuer", "address"} as one
// line when it does, and ends when its standard input does.

import { createServer } from "node:http";
import Provider from "oidc-provider";

const settings = JSON.parse(process.argv[2] ?? "{}");
const accounts = new Map((settings.accounts ?? []).map((a) => [a.sub, a]));
const password = "fileroom";

const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}`;
const issuer = settings.issuer ?? address;

const provider = new Provider(issuer, {
  clients: settings.clients ?? [],
  claims: { openid: ["sub", "roles", "realm_access", "azp"], profile: ["name", "preferred_username"] },
  conformIdTokenClaims: false, // The claims are in the ID token, not only at the userinfo endpoint.
  clientBasedCORS: () => false,
  cookies: { keys: ["a key of the tests"] },
  features: {
    devInteractions: { enabled: false },
    // Its own page would fetch a font from elsewhere.
    rpInitiatedLogout: {
      logoutSource: (ctx, form) => {
        ctx.body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Identity provider</title></head>
<body><main>
<h1>Sign out of the identity provider?</h1>
${form}
<p><button form="op.logoutForm" name="logout" value="yes">Sign out</button></p>
</main></body>
</html>`;
      },
    },
  },
  findAccount: (_, sub) => {
    const account = accounts.get(sub);
    return account && { accountId: sub, claims: () => account };
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  // Whoever signs in has agreed: the clients are the library's own.
  loadExistingGrant: async (ctx) => {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
  pkce: { methods: ["S256"], required: () => true },
  renderError: (ctx, out) => {
    ctx.type = "text/plain";
    ctx.body = JSON.stringify(out);
  },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, Session: 3600 },
});

const page = (uid, words) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Identity provider</title></head>
<body><main>
<h1>Identity provider</h1>
<p role="status">${words}</p>
<form method="post" action="/interaction/${uid}">
<p><label>Name <input name="login" autocomplete="username" autofocus></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button name="do" value="login">Sign in</button> <button name="do" value="cancel">Cancel</button></p>
</form>
</main></body>
</html>`;

const form = async (req) => {
  let text = "";
  for await (const part of req) {
    text += part;
    if (text.length > 4096) throw new Error("the form is too long");
  }
  return new URLSearchParams(text);
};

const show = (res, status, uid, words) => {
  res.writeHead(status, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" });
  res.end(page(uid, words));
};

// interact shows the login form, and reads it.
const interact = async (req, res) => {
  const { uid } = await provider.interactionDetails(req, res);
  if (req.method !== "POST") return show(res, 200, uid, "Please sign in.");
  const said = await form(req);
  if (said.get("do") === "cancel") {
    return provider.interactionFinished(req, res, { error: "access_denied", error_description: "<b>cancelled</b>" });
  }
  if (!accounts.has(said.get("login")) || said.get("password") !== password) {
    return show(res, 200, uid, "Name or password is wrong.");
  }
  return provider.interactionFinished(req, res, { login: { accountId: said.get("login") } });
};

const serve = provider.callback();
server.on("request", (req, res) => {
  if (!req.url.startsWith("/interaction/")) return serve(req, res);
  interact(req, res).catch((err) => {
    res.writeHead(400, { "Content-Type": "text/plain" });
    res.end(String(err.message));
  });
});

process.stdin.on("end", () => process.exit(0)).resume();
console.log(JSON.stringify({ issuer, address }));
