// What scenes have in common: people at browsers of their own, who sign in, and
// what is to be true of every page that they see.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// patience is how long, in milliseconds, something may take to be seen: the
// servers may be busy with other tests.
export const patience = 90_000;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// A Visit is one scene's people, and what went wrong with their pages.
export class Visit {
  #contexts = [];
  #wrong = [];

  constructor(browser, settings, { step, ask }) {
    Object.assign(this, { browser, settings, step, ask, ui: settings.ui, panel: settings.panel });
  }

  // somebody is a person at a browser that remembers nothing.
  async somebody(options = {}) {
    const context = await this.browser.newContext({
      // The demonstration's certificate is of this machine's own authority.
      ignoreHTTPSErrors: true,
      viewport: { width: 1280, height: 900 },
      locale: "en-US",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(patience);
    context.setDefaultNavigationTimeout(patience);
    const ours = [this.ui, this.panel, ...(this.settings.others ?? [])].map((url) => new URL(url).host);
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (/^(https?|wss?):$/.test(url.protocol) && !ours.includes(url.host)) this.#wrong.push(`a page asks ${url.host} for something`);
    });
    context.on("weberror", (error) => {
      const page = error.page();
      if (page?.url().startsWith(this.panel)) this.#wrong.push(`a script of ${new URL(page.url()).pathname} failed: ${error.error()}`);
    });
    context.on("console", (message) => {
      if (message.type() === "error" && /Content.Security.Policy/i.test(message.text()) && message.location().url.startsWith(this.panel)) {
        this.#wrong.push(`a page breaks its own policy: ${message.text()}`);
      }
    });
    this.#contexts.push(context);
    return context.newPage();
  }

  // member is one of the demonstration's people, signed in at an address.
  async member(name, url, options) {
    const page = await this.somebody(options);
    await page.goto(url);
    await signIn(page, name);
    await page.waitForURL((at) => at.origin === new URL(url).origin && !at.pathname.startsWith("/sign-in"));
    this.step(`${name} is signed in`);
    return page;
  }

  // endSession has the session of a browser run out.
  async endSession(page) {
    const cookies = await page.context().cookies(this.panel);
    const token = cookies.find((cookie) => cookie.name === "__Host-fileroom")?.value ?? "";
    await this.ask("end the session", createHash("sha256").update(token).digest("hex"));
  }

  // check fails the scene for what went wrong behind its back.
  check() {
    if (this.#wrong.length) throw new Error(this.#wrong.join("\n"));
  }

  // photograph writes a picture of every page, for whoever looks into a failure.
  async photograph(file) {
    const pictures = [];
    for (const context of this.#contexts) {
      for (const page of context.pages()) {
        const path = file(pictures.length + 1);
        await page.screenshot({ path, fullPage: true, timeout: 10_000 });
        pictures.push(`${path} (${page.url()})`);
      }
    }
    return pictures;
  }

  async end() {
    await Promise.all(this.#contexts.map((context) => context.close().catch(() => {})));
  }
}

// signIn says, on the demonstration's page, who it is.
export const signIn = (page, name) => page.getByRole("button", { name: new RegExp(`^${name}`) }).click();

// insist fails with a sentence when something is not so.
export const insist = (so, sentence) => {
  if (!so) throw new Error(sentence);
};

// until loads a page again until something is to be seen on it: the pages do not
// change by themselves.
export const until = async (page, seen) => {
  const end = Date.now() + patience;
  while (!(await seen.isVisible())) {
    insist(Date.now() < end, `${seen} is not to be seen`);
    await page.reload();
    await page.locator("main").waitFor();
  }
};

// accessible fails when a page breaks a rule of WCAG 2.0 to 2.2, level A or AA,
// or one of the rules named.
export const accessible = async (page, name, rules) => {
  const only = rules ? { type: "rule", values: rules } : { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
  await page.evaluate(axe);
  const found = await page.evaluate(async (runOnly) => {
    const result = await globalThis.axe.run(document, { runOnly, resultTypes: ["violations"] });
    return {
      passed: result.passes.length,
      broken: result.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join("; ")}`),
    };
  }, only);
  insist(found.passed > 0, `${name}: no rule was looked at`);
  insist(found.broken.length === 0, `${name} is not accessible: ${found.broken.join("\n")}`);
};
