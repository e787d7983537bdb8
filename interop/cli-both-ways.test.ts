/**
 * Every command of the transcripts in src/cli/testdata, run for real: the real `consul` on a real agent says what
 * was recorded, our command line on a real agent says the same, and so does `consul` on our agent. Ids, indexes,
 * addresses and times differ from run to run and are masked.
 *
 *     UPDATE=1 npx vitest run interop/cli-both-ways.test.ts
 *
 * records the transcripts anew from the real program. Review the difference as you would code.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseTranscript, printTranscript, type Outcome } from "../src/cli/transcript.ts";
import { consulCommand, perform, rollcallCommand } from "./cli-scenes.ts";

const folder = new URL("../src/cli/testdata/", import.meta.url);
const transcripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const UPDATE = process.env["UPDATE"] === "1";
const LIMIT_MS = 90_000;

/** The address that transcripts speak of. */
const RECORDED = "127.0.0.66";
const REAL = "127.0.0.94";
const OURS = "127.0.0.95";

/** Where our agent is known to answer otherwise, and why. A row that is no longer true fails. */
const OTHERWISE: Readonly<Record<string, string>> = {
  info: "figures of parts that work otherwise inside",
  "info x": "the same",
};

const load = (name: string) => parseTranscript(readFileSync(new URL(name, folder), "utf8"));

function masked(text: string): string {
  return text
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
    .replace(/\d+(\.\d+)*/g, "#")
    .replace(/ +/g, " ");
}
/** `maint` lists what it finds in no order: Go walks a map. */
function unordered(text: string): string {
  return /^(Node|Service):\n/.test(text)
    ? text.trimEnd().split("\n\n").toSorted().join("\n\n")
    : text;
}
/** Go walks maps in no order: several `node-meta` come as they like. */
function maskedRequest(request: string): string {
  return masked(request).replace(/\?(\S*)/, (_, query: string) => {
    return `?${query.split("&").toSorted().join("&")}`;
  });
}
function maskedOutcome({ exitCode, stdout, stderr }: Outcome): Outcome {
  return { exitCode, stdout: unordered(masked(stdout)), stderr: masked(stderr) };
}

describe.each(transcripts)("%s", (name) => {
  test("is what the real consul does", { timeout: LIMIT_MS }, async () => {
    const steps = load(name);
    await using stage = await consulCommand(RECORDED, "consul", { records: true });
    await perform(steps, stage, (step, { exchanges, ...outcome }) => {
      if (!UPDATE) {
        expect.soft(maskedOutcome(outcome), step.command).toEqual(maskedOutcome(step.outcome));
        const asked = exchanges.map(({ request }) => maskedRequest(request));
        const recorded = step.exchanges.map(({ request }) => maskedRequest(request));
        expect.soft(asked, step.command).toEqual(recorded);
      }
      step.outcome = outcome;
      step.exchanges = exchanges;
    });
    if (UPDATE) writeFileSync(new URL(name, folder), printTranscript(steps));
  });

  test("our command line does it on a real agent", { timeout: LIMIT_MS }, async () => {
    await using stage = await rollcallCommand(REAL, "consul");
    await perform(load(name), stage, (step, outcome) => {
      expect.soft(maskedOutcome(outcome), step.command).toEqual(maskedOutcome(step.outcome));
    });
  });

  test("the real consul does it on our agent", { timeout: LIMIT_MS }, async () => {
    await using stage = await consulCommand(OURS, "rollcall");
    await perform(load(name), stage, (step, outcome) => {
      const said = maskedOutcome(outcome);
      const otherwise = OTHERWISE[step.command];
      if (otherwise === undefined) {
        expect.soft(said, step.command).toEqual(maskedOutcome(step.outcome));
      } else {
        expect.soft(said, `${step.command}: ${otherwise}`).not.toEqual(maskedOutcome(step.outcome));
      }
    });
  });
});
