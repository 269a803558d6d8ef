// The browser of the tests.
//
//   node run.mjs '{"chromium": ..., "ui": ..., "panel": ..., "pictures": ...}'
//
// chromium is the program; ui and panel are the staff's two addresses, and "others"
// those that pages may go to beside them: "at" in a scene's args has others of all
// three. pictures is a folder. On standard input come requests, a line of JSON each: {"id", "scene", "args"}
// plays a scene (see the files of scenes beside this one), in a browser without
// memory. What comes back for it, by its id, is a line for each "step"; an "ask"
// with its "args", which waits for a request with an "answer" or a "refusal" of
// the same id; and at the end "done" with what the scene found out, or "failed",
// with "pictures" of what was to be seen then. It ends when its standard input does.

import { createInterface } from "node:readline";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Visit } from "./visit.mjs";
import * as desk from "./desk.mjs";
import * as looks from "./looks.mjs";
import * as sessions from "./sessions.mjs";
import * as temporal from "./temporal.mjs";

const settings = JSON.parse(process.argv[2]);
const scenes = { ...desk, ...looks, ...sessions, ...temporal };

// So many scenes play at once: a browser needs a processor.
const most = 2;

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const browser = await chromium.launch({
  executablePath: settings.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const waiting = new Map(); // Scenes that asked, by id.
const queue = [];
let playing = 0;

const play = async ({ id, scene, args }) => {
  const visit = new Visit(browser, { ...settings, ...args.at }, {
    step: (step) => say({ id, step }),
    ask: (ask, args) => new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      say({ id, ask, args });
    }),
  });
  try {
    if (!scenes[scene]) throw new Error(`there is no scene ${scene}`);
    const done = await scenes[scene](visit, args);
    visit.check();
    say({ id, done: done ?? {} });
  } catch (err) {
    const pictures = await visit.photograph((n) => join(settings.pictures, `${scene}-${id}-${n}.png`)).catch(() => []);
    say({ id, failed: String(err.stack ?? err), pictures });
  } finally {
    await visit.end();
  }
};

const next = async () => {
  if (playing >= most || queue.length === 0) return;
  playing++;
  await play(queue.shift());
  playing--;
  next();
};

say({ ready: browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.scene) {
    queue.push(request);
    next();
    continue;
  }
  const asked = waiting.get(request.id);
  waiting.delete(request.id);
  if (request.refusal) asked?.reject(new Error(request.refusal));
  else asked?.resolve(request.answer);
}
await browser.close();
process.exit(0);
