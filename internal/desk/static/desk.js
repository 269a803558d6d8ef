// Everything works without this script. It shows, on the page as it arrived,
// the field that is being looked at; it keeps the place after a refusal; and it
// learns from the Temporal UI which workflow the panel is shown for.
"use strict";

(() => {
  const body = document.body;

  // The place on the page that belongs to a field.
  const show = (id) => {
    document.querySelectorAll(".here").forEach((e) => e.classList.remove("here"));
    const place = id && document.getElementById(id);
    if (!place) return;
    place.classList.add("here");
    const left = place.closest(".left");
    if (left && left.scrollHeight > left.clientHeight) {
      const at = place.getBoundingClientRect(), pane = left.getBoundingClientRect();
      if (at.top < pane.top || at.bottom > pane.bottom) {
        left.scrollTop += at.top - pane.top - pane.height / 3;
      }
    }
  };
  document.addEventListener("focusin", (e) => {
    const box = e.target.dataset && e.target.dataset.box;
    if (box) show(box);
  });

  // A pane that scrolls must be reachable by keyboard; one that does not, must not be in the way.
  const panes = () => document.querySelectorAll(".left, .scroll").forEach((e) => {
    if (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1) e.tabIndex = 0;
    else e.removeAttribute("tabindex");
  });
  panes();
  addEventListener("resize", panes);

  // A refusal is where it was asked; go there, for a frame may not focus by itself.
  const refusal = document.querySelector(".refusal");
  if (refusal) {
    refusal.scrollIntoView({ block: "center" });
    const form = refusal.closest("form");
    const first = form && form.querySelector("[autofocus]");
    (first || refusal).focus({ preventScroll: true });
  }

  // A decision is sent once, however often the button is pressed.
  document.addEventListener("submit", (e) => {
    if (e.target.method !== "post") return;
    if (e.target.dataset.sent) e.preventDefault();
    e.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));

  if (!body.classList.contains("panel") || window.parent === window) return;

  // The Temporal UI's protocol for extensions, version 1.
  const ui = body.dataset.ui, extension = body.dataset.extension, version = 1;
  let instance = null;
  const send = (message) => window.parent.postMessage({ version, extensionId: extension, ...message }, ui);
  const resize = () => {
    if (instance) send({ type: "temporal-extension/resize", instanceId: instance, height: Math.ceil(document.getElementById("main").getBoundingClientRect().height) });
  };
  addEventListener("message", (e) => {
    const m = e.data;
    if (e.origin !== ui || e.source !== window.parent || typeof m !== "object" || m === null) return;
    if (m.version !== version || m.extensionId !== extension || typeof m.instanceId !== "string") return;
    if (m.type === "temporal-ui/welcome") {
      instance = m.instanceId;
      send({ type: "temporal-extension/ready", instanceId: instance });
      resize();
    } else if (m.type === "temporal-ui/context" && m.instanceId === instance) {
      const id = m.context && m.context.workflow && m.context.workflow.workflowId;
      if (typeof id === "string" && id !== body.dataset.workflow) {
        location.replace("/panel?workflow=" + encodeURIComponent(id));
      }
    }
  });
  send({ type: "temporal-extension/hello" });
  new ResizeObserver(resize).observe(document.getElementById("main"));

  // Somebody who has signed in, in another tab, comes back.
  if (document.getElementById("sign-in")) {
    addEventListener("focus", () => {
      const id = body.dataset.workflow;
      location.replace(id ? "/panel?workflow=" + encodeURIComponent(id) : "/panel");
    });
  }
})();
