import { readFileSync, writeFileSync } from "node:fs";
import { test } from "vitest";
import { messageOf } from "../errors/index.ts";
import { validateConfig } from "./load.ts";
import { machine } from "./testkit.ts";
test("x", async () => {
  const rows = JSON.parse(readFileSync("/tmp/probe/fz.json", "utf8"));
  const out = [];
  for (const { format, text, answer } of rows) {
    const platform = await machine({ [`/etc/a.${format}`]: text });
    let ours;
    try { ours = ["Configuration is valid!", ...await validateConfig([`/etc/a.${format}`], { platform })].join("\n"); } catch (e) { ours = "Config validation failed: " + messageOf(e).replaceAll("/etc/a.", "a.").trimEnd(); }
    out.push({ text, answer, ours });
  }
  writeFileSync("/tmp/probe/ours.json", JSON.stringify(out));
}, 60000);
