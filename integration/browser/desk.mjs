// Scenes at the desk.

import { insist, until } from "./visit.mjs";

const theCase = (page, id) => page.locator("a.case", { hasText: id });

export const parts = (at) => ({
  decide: at.locator("#approve"),
  offer: at.locator("#approve summary", { hasText: "Approve" }),
  confirm: at.getByRole("button", { name: "Yes, let them go" }),
  done: at.locator(".banner.good"),
  refusal: at.locator(".refusal"),
});

// deskApproves takes a clean case from the list to approved in three clicks.
export async function deskApproves(visit, { id, patient }) {
  const page = await visit.member("Dana Okoye", `${visit.panel}/desk`);
  let clicks = 0;
  const click = async (what) => {
    clicks++;
    await what.click();
  };
  await click(theCase(page, id));
  await page.getByRole("heading", { level: 1, name: id }).waitFor();
  insist(await page.getByText(patient).first().isVisible(), "the case does not name its patient");
  visit.step("the case is open");
  const { offer, confirm, done } = parts(page);
  await click(offer);
  await click(confirm);
  await done.waitFor();
  insist(clicks === 3, `it took ${clicks} clicks`);
  visit.step("it is approved");
}

// deskByKeyboard does the same with Tab and Enter alone.
export async function deskByKeyboard(visit, { id }) {
  const page = await visit.somebody();
  await page.goto(`${visit.panel}/desk`);
  // tab goes on to what is looked for, and fails when all has been passed.
  const tab = async (name, wanted) => {
    for (let i = 0; i < 400; i++) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate(() => {
        const at = document.activeElement, style = getComputedStyle(at);
        return { tag: at.tagName, text: at.innerText ?? "", seen: style.outlineStyle !== "none" || style.boxShadow !== "none" };
      });
      if (!wanted(here)) continue;
      insist(here.seen, `${name}: nobody sees that it has the focus`);
      await page.keyboard.press("Enter");
      return;
    }
    throw new Error(`${name} is not reached by keyboard`);
  };
  await tab("the person", (e) => e.text.startsWith("Dana Okoye"));
  await page.waitForURL(`${visit.panel}/desk`);
  await page.locator("a.case").first().waitFor();
  await tab("the case", (e) => e.tag === "A" && e.text === id);
  await page.getByRole("heading", { level: 1, name: id }).waitFor();
  visit.step("the case is open");
  await tab("the approval", (e) => e.tag === "SUMMARY" && e.text.startsWith("Approve"));
  await tab("the confirmation", (e) => e.tag === "BUTTON" && e.text === "Yes, let them go");
  await parts(page).done.waitFor();
  visit.step("it is approved");
}

// acknowledge answers a finding, on a page or in a frame.
export const acknowledge = async (at, rule, reason) => {
  const finding = at.locator(`#finding-${rule}`);
  await finding.locator("summary").click();
  await finding.locator("textarea").fill(reason);
  await finding.getByRole("button", { name: `Acknowledge ${rule}` }).click();
  await parts(at).done.waitFor();
};

// deskAcknowledges has a finding that a person must answer: until then no
// approval is offered.
export async function deskAcknowledges(visit, { id, rule }) {
  const page = await visit.member("Dana Okoye", `${visit.panel}/desk/${id}`);
  const { decide, offer, confirm, done } = parts(page);
  await decide.getByText("What stands in the way").waitFor();
  insist(!(await offer.isVisible()), "an approval is offered with a finding open");
  await acknowledge(page, rule, "compared with the letter");
  visit.step("the finding is acknowledged");
  await until(page, offer);
  await offer.click();
  await confirm.click();
  await done.waitFor();
  visit.step("it is approved");
}

// deskCorrects puts right what was read wrongly.
export async function deskCorrects(visit, { id, field, wrong, right }) {
  const page = await visit.member("Dana Okoye", `${visit.panel}/desk/${id}`);
  const { offer, confirm, done } = parts(page);
  const input = page.locator(`[name="field:${field}"]`);
  insist((await input.inputValue()) === wrong, `${field} reads ${await input.inputValue()}`);
  insist(!(await offer.isVisible()), "an approval is offered before the correction");
  await input.fill(right);
  await page.getByRole("button", { name: "Save corrections" }).click();
  await done.waitFor();
  visit.step("it is corrected");
  await until(page, offer);
  insist((await input.inputValue()) === right, `${field} reads ${await input.inputValue()} after the correction`);
  await offer.click();
  await confirm.click();
  await done.waitFor();
  visit.step("it is approved");
}

// deskTogether approves several clean cases at once.
export async function deskTogether(visit, { ids }) {
  const page = await visit.member("Dana Okoye", `${visit.panel}/desk`);
  for (const id of ids) await page.getByRole("checkbox", { name: `Approve ${id} with others` }).check();
  await page.getByRole("button", { name: "Approve the ticked ones together" }).click();
  await page.getByRole("heading", { level: 1, name: `Approve ${ids.length} cases together` }).waitFor();
  for (const id of ids) insist(await page.getByRole("link", { name: id }).isVisible(), `${id} is not shown before it is approved`);
  await page.getByRole("button", { name: `Approve ${ids.length} cases` }).click();
  await page.getByRole("heading", { level: 1, name: `${ids.length} cases approved` }).waitFor();
  visit.step("all are approved");
}

// deskRefused approves what has changed since it was shown.
export async function deskRefused(visit, { id }) {
  const page = await visit.member("Dana Okoye", `${visit.panel}/desk/${id}`);
  const { decide, offer, confirm, done } = parts(page);
  await offer.click();
  await visit.ask("change the case");
  await confirm.click();
  const refusal = decide.locator(".refusal");
  await refusal.getByText("not as you saw it").waitFor();
  insist(await refusal.evaluate((e) => e === document.activeElement || e.closest("form, section").contains(document.activeElement)), "the focus is not at the refusal");
  insist(await confirm.isVisible(), "the form is folded away though it was refused");
  visit.step("it is refused where it was asked");
  await confirm.click(); // It shows the case as it is now.
  await done.waitFor();
  visit.step("it is approved as it is now");
}

// deskViewer may look and decide nothing.
export async function deskViewer(visit, { id, login }) {
  const page = await visit.somebody();
  await page.goto(`${visit.panel}/desk/${id}`);
  await page.getByLabel("Name").fill(login);
  await page.getByLabel("Password").fill("fileroom");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: id }).waitFor();
  visit.step("the viewer is signed in by the identity provider");
  const { decide, offer } = parts(page);
  await decide.getByText("You may look").waitFor();
  insist(!(await offer.isVisible()), "a viewer is offered an approval");
  insist((await page.locator('form[action$="/say"]').count()) === 0 || !(await page.locator('form[action$="/say"] button').first().isVisible()), "a viewer is offered something to say");
  // What is not offered can be sent all the same.
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === "POST"),
    page.evaluate((id) => {
      const form = document.createElement("form");
      Object.assign(form, { method: "post", action: `/desk/${id}/say` });
      for (const [name, value] of Object.entries({ message: "withdraw", id: "0123456789abcdef0123", reason: "because" })) {
        form.append(Object.assign(document.createElement("input"), { name, value }));
      }
      document.body.append(form);
      form.submit();
    }, id),
  ]);
  await page.getByText("needs the role").first().waitFor();
  insist(answer.status() === 409, `a viewer's withdrawal is answered by ${answer.status()}`);
  visit.step("what the viewer says is refused");
}
