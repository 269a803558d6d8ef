// Scenes in the Temporal UI: the panel, and its own menus.

import { insist, patience, until } from "./visit.mjs";
import { acknowledge, parts } from "./desk.mjs";

// inTemporal signs somebody in at the Temporal UI and finds a case in its list.
export async function inTemporal(visit, name, id, options) {
  const page = await visit.member(name, `${visit.ui}/`, options);
  const query = encodeURIComponent(`\`Stage\`="review" AND \`WorkflowId\`="release/${id}"`);
  const list = `${visit.ui}/namespaces/default/workflows?query=${query}`;
  const link = page.getByRole("link", { name: `release/${id}` }).first();
  // What Temporal lists may lag a moment behind.
  const end = Date.now() + patience;
  for (await page.goto(list); ; await page.reload()) {
    if (await link.waitFor({ timeout: 30_000 }).then(() => true, () => false)) break;
    insist(Date.now() < end, "the case is not in the list of the Temporal UI");
  }
  await link.click();
  const panel = page.frameLocator(`iframe[src^="${visit.panel}/panel"]`);
  await panel.getByRole("heading", { level: 1, name: id }).waitFor();
  visit.step("the Temporal UI shows the case, and the panel in it");
  return { page, panel };
}

// panelDecides decides in the panel: a finding hinders, and is answered; what
// has changed meanwhile is refused; and then it is approved.
export async function panelDecides(visit, { id, patient, rule }) {
  const { page, panel } = await inTemporal(visit, "Dana Okoye", id);
  const { decide, offer, confirm, done } = parts(panel);
  insist(await panel.getByText(patient).first().isVisible(), "the panel does not name the patient");
  await decide.getByText("What stands in the way").waitFor();
  insist(!(await offer.isVisible()), "an approval is offered with a finding open");
  await acknowledge(panel, rule, "compared with the letter");
  visit.step("the finding is acknowledged");
  await visit.ask("it rests");
  await page.reload();
  await offer.click();
  await visit.ask("change the case");
  await confirm.click();
  await decide.locator(".refusal").getByText("not as you saw it").waitFor();
  visit.step("it is refused where it was asked");
  await confirm.click(); // It shows the case as it is now.
  await done.waitFor();
  visit.step("it is approved in the panel");
}

// twoPeople decide, each at a browser of their own: the first at the desk, the
// second in the panel.
export async function twoPeople(visit, { id }) {
  const dana = await visit.member("Dana Okoye", `${visit.panel}/desk/${id}`);
  await parts(dana).offer.click();
  await parts(dana).confirm.click();
  await parts(dana).done.waitFor();
  await until(dana, parts(dana).decide.getByText("1 of 2"));
  insist(!(await parts(dana).offer.isVisible()), "the first person is offered the second approval");
  await dana.goto(`${visit.panel}/desk?list=second`);
  insist(await dana.getByRole("link", { name: id }).isVisible(), "the case is not on the list of those that wait for a second person");
  visit.step("the first has approved");
  const { panel } = await inTemporal(visit, "Priya Raman", id);
  await parts(panel).decide.getByText("second of two").waitFor();
  await parts(panel).offer.click();
  await parts(panel).confirm.click();
  await parts(panel).done.waitFor();
  visit.step("the second has approved");
}

// speak opens a dialog of the UI's own, for a "signal" or an "update", and sends
// a message by it. There are two of everything, for wide windows and for narrow ones.
const speak = async (page, kind, name, payload) => {
  await page.locator("[aria-controls^='workflow-actions']").filter({ visible: true }).first().click();
  await page.getByRole("menuitem", { name: kind === "signal" ? "Send a Signal" : "Send an Update" }).click();
  const dialog = page.getByTestId(`${kind}-confirmation-modal`).filter({ visible: true });
  await dialog.getByTestId(`${kind}-select-button`).click();
  await dialog.getByRole("option", { name: new RegExp(`^\\s*${name}\\b`) }).click();
  await submit(page, dialog, payload);
  return dialog;
};

// submit types a payload into a dialog, and sends it.
const submit = async (page, dialog, payload) => {
  await dialog.locator(".cm-content").click();
  await page.keyboard.press("Control+A");
  await page.keyboard.insertText(JSON.stringify(payload));
  await dialog.getByTestId("confirm-modal-button").click();
};

// stockMenus speaks to a case by the UI's own menus.
export async function stockMenus(visit, { id, revision }) {
  const { page } = await inTemporal(visit, "Luis Ferrante", id);
  await speak(page, "signal", "hold", { reason: "the patient called" });
  await visit.ask("it is held");
  visit.step("the signal is heard");
  await speak(page, "update", "resume", { reason: "it was a misunderstanding" });
  await visit.ask("it rests");
  visit.step("an update is heard");
  const dialog = await speak(page, "update", "approve", { revision: "0123456789abcdef0123" });
  await dialog.getByText("not as you saw it").waitFor();
  visit.step("the refusal is shown in the dialog");
  await submit(page, dialog, { revision });
  await dialog.waitFor({ state: "hidden" });
  visit.step("it is approved");
}
