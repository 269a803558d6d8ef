// Scenes of sessions that run out.

import { insist, signIn } from "./visit.mjs";
import { parts } from "./desk.mjs";
import { inTemporal } from "./temporal.mjs";

// deskSessionEnds has a session run out while somebody decides.
export async function deskSessionEnds(visit, { id }) {
  const page = await visit.member("Dana Okoye", `${visit.panel}/desk/${id}`);
  await parts(page).offer.click();
  await visit.endSession(page);
  await parts(page).confirm.click();
  await page.getByRole("heading", { name: "Please sign in, and send it again" }).waitFor();
  await page.getByText("was not done").waitFor();
  await visit.ask("nothing was decided");
  visit.step("it says that nothing was done, and what to do");
  const [tab] = await Promise.all([page.waitForEvent("popup"), page.getByRole("link", { name: /Sign in/ }).click()]);
  await signIn(tab, "Dana Okoye");
  await tab.getByRole("heading", { name: /signed in/i }).waitFor();
  await tab.close();
  await page.goto(`${visit.panel}/desk/${id}`);
  await parts(page).offer.click();
  await parts(page).confirm.click();
  await parts(page).done.waitFor();
  visit.step("signed in again, it works");

  await visit.endSession(page);
  await page.reload();
  await signIn(page, "Dana Okoye");
  await page.getByRole("heading", { level: 1, name: id }).waitFor();
  visit.step("a page asks to sign in, and comes back");
}

// temporalSessionEnds has a session run out in the Temporal UI: first the panel
// hears of it, and then the UI itself. The UI asks for news all the time and would
// leave the page as soon as it is refused, so it is kept from asking at first.
export async function temporalSessionEnds(visit, { id }) {
  const { page, panel } = await inTemporal(visit, "Luis Ferrante", id);
  const shown = page.url();
  const mute = (at) => at.origin === visit.ui;
  await page.route(mute, () => {}); // Neither sent on nor answered.
  await visit.endSession(page);
  await parts(panel).offer.click();
  await parts(panel).confirm.click();
  await panel.getByRole("heading", { name: /session has ended|sign in/i }).waitFor();
  await visit.ask("nothing was decided");
  visit.step("the panel says that the session has ended");
  const [tab] = await Promise.all([page.waitForEvent("popup"), panel.getByRole("link", { name: "Sign in" }).click()]);
  await signIn(tab, "Luis Ferrante");
  await tab.waitForURL(`${visit.panel}/desk`);
  await tab.close();
  await page.unroute(mute);
  await page.goto(shown); // The other door asks as well; whoever is signed in at the desk goes through.
  await page.waitForURL((at) => at.origin === visit.ui && at.pathname.includes("/workflows/"));
  await parts(panel).offer.waitFor();
  visit.step("signed in again, the case is there");

  await visit.endSession(page);
  await page.waitForURL((at) => at.pathname === "/login");
  await page.getByRole("heading", { name: "Please sign in" }).waitFor();
  visit.step("the Temporal UI leads to where one can sign in, and waits");
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, "Luis Ferrante");
  await page.waitForURL((at) => at.origin === visit.ui && at.pathname.includes("/workflows/"));
  await parts(panel).offer.click();
  await parts(panel).confirm.click();
  await parts(panel).done.waitFor();
  visit.step("signed in again, it works");
}

// signsOut ends a session at both doors.
export async function signsOut(visit) {
  const page = await visit.member("Priya Raman", `${visit.ui}/`);
  await page.goto(`${visit.panel}/desk`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: /signed out/i }).waitFor();
  await page.goto(`${visit.ui}/`);
  await page.waitForURL((at) => at.pathname === "/sign-in");
  insist(await page.getByRole("button", { name: /^Priya Raman/ }).isVisible(), "the ui door lets in who is signed out");
}
