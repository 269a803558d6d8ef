// How the pages look: whether everybody can use them, and the pictures of the README.

import { accessible } from "./visit.mjs";
import { inTemporal } from "./temporal.mjs";
import { parts } from "./desk.mjs";

// everyPage looks at every kind of page in one colour scheme: for everything in
// light, and in dark for what can differ there, the contrast of colours.
export async function everyPage(visit, { scheme, clean, finding, arrival }) {
  const dark = { colorScheme: scheme };
  const outside = await visit.somebody(dark);
  const see = async (page, path, name) => {
    if (path) await page.goto(visit.panel + path);
    await page.locator("main").waitFor();
    await accessible(page, `${name} (${scheme})`, scheme === "dark" ? ["color-contrast"] : undefined);
    visit.step(`${name} is accessible`);
  };
  await see(outside, "/desk", "the sign-in");
  const dana = await visit.member("Dana Okoye", `${visit.panel}/desk`, dark);
  const seen = await dana.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await see(dana, "/desk", "the list");
  await see(dana, "/desk?list=arrivals", "the list of arrivals");
  await dana.getByLabel("Case number").fill("nobody knows");
  await dana.getByRole("button", { name: "Open", exact: true }).click();
  await see(dana, "", "a case that is not found");
  await see(dana, `/desk/${finding}`, "a case with a finding");
  await dana.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
  await see(dana, "", "a case with everything unfolded");
  await see(dana, `/desk/${clean}`, "a clean case");
  await parts(dana).offer.click();
  await see(dana, "", "a confirmation");
  await see(dana, `/desk/arrivals/${arrival}`, "an arrival");
  await dana.goto(`${visit.panel}/desk`);
  await dana.getByRole("checkbox", { name: `Approve ${clean} with others` }).check();
  await dana.getByRole("button", { name: "Approve the ticked ones together" }).click();
  await see(dana, "", "several to approve");
  await see(dana, `/panel?workflow=release/${finding}`, "the panel");
  await see(dana, `/panel?workflow=intake/${arrival}`, "the panel of an arrival");
  await see(dana, "/panel?workflow=mailbox/x", "the panel of something else");
  await see(outside, `/panel?workflow=release/${finding}`, "the panel of nobody");
  await see(dana, "/sign-out", "the sign-out");
  return { background: seen };
}

// pictures takes the README's.
export async function pictures(visit, { id, desk, temporal }) {
  const size = { viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1, colorScheme: "light" };
  const { page, panel } = await inTemporal(visit, "Dana Okoye", id, size);
  await panel.locator("#approve").waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: temporal });
  const dana = await visit.member("Dana Okoye", `${visit.panel}/desk/${id}`, size);
  await dana.locator(".paper img, .paper .sheet").first().waitFor();
  await dana.screenshot({ path: desk });
}
