/**
 * The command line says, asks and exits as Consul's does: every command of the transcripts in testdata/
 * is run against an agent that answers what Consul's agent answered.
 */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runScripted } from "./testkit.ts";
import { parseTranscript, scenesOf, withoutUsageTexts } from "./transcript.ts";

const folder = new URL("testdata/", import.meta.url);
const transcripts = readdirSync(folder).filter((name) => name.endsWith(".txt"));

describe.each(transcripts)("%s", (name) => {
  const steps = parseTranscript(readFileSync(new URL(name, folder), "utf8"));
  test.each(scenesOf(steps))(
    "$command",
    async ({ args, env, files, stdin, exchanges, outcome }) => {
      const answers = exchanges;
      const actual = await runScripted({ args, env, files, stdin, answers });
      expect({
        asked: actual.requests,
        exitCode: actual.exitCode,
        stdout: withoutUsageTexts(actual.stdout),
        stderr: withoutUsageTexts(actual.stderr),
      }).toEqual({
        asked: exchanges.map(({ request, requestBody }) => ({ request, body: requestBody })),
        ...outcome,
      });
    },
  );
});
