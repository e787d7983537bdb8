/**
 * Conversations of the command line with an agent, as text that a person can read and a test replays.
 *
 *     # why this step is here
 *     let index = GET /v1/kv/a 0.ModifyIndex     asked of the agent while recording, with what it answered
 *       is 17
 *     stdin "hello"                              given to the next command only, as `env` and `file` are not:
 *     file web.json "{...}"                      these hold until the end of the transcript
 *     env CONSUL_HTTP_TOKEN=abc                  (an empty value unsets)
 *     $ kv put -cas -modify-index=${index} a 'b c'
 *     > PUT /v1/kv/a?cas=17 "b c"                what the command asked, and
 *     < 200 "true"                               what the agent answered
 *     exit 0
 *     out| Success! Data written to: a
 *     err| Usage: consul kv put [options] KEY [DATA]
 *     err| ...                                   the rest of a usage text is the product's own
 *
 * Bodies are JSON strings, with the prefix `latin1` where the bytes are not UTF-8. The transcripts in
 * testdata/ were recorded from Consul 1.8.7 by `interop/cli-both-ways.test.ts`.
 */
export interface Exchange {
  readonly request: string;
  readonly requestBody: string;
  readonly status: number;
  readonly body: string;
  /** Where a redirect leads. */
  readonly location?: string;
}
export type Step =
  | { readonly kind: "note"; readonly text: string }
  | Let
  | { readonly kind: "stdin"; readonly text: string }
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | { readonly kind: "env"; readonly name: string; readonly value: string }
  | Run;
export interface Let {
  readonly kind: "let";
  readonly name: string;
  readonly how: string;
  value: string;
}
export interface Run {
  readonly kind: "run";
  readonly command: string;
  exchanges: readonly Exchange[];
  outcome: Outcome;
}
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const ANSWER = /^(\d+)(?: location=(\S+))?(?: (.*))?$/;

/** @throws {Error} with the line that it cannot read */
export function parseTranscript(text: string): Step[] {
  const steps: Step[] = [];
  let run: { -readonly [K in keyof Run]: Run[K] } | undefined;
  for (const line of text.split("\n")) {
    const [word, rest] = cut(line, " ");
    const last = steps.at(-1);
    if (word === "$") {
      run = {
        kind: "run",
        command: rest,
        exchanges: [],
        outcome: { exitCode: 0, stdout: "", stderr: "" },
      };
      steps.push(run);
    } else if (line === "" || word === "#") {
      steps.push({ kind: "note", text: line });
    } else if (word === "let") {
      const [name, how] = cut(rest, " = ");
      steps.push({ kind: "let", name, how, value: "" });
    } else if (line.startsWith("  is ") && last?.kind === "let") {
      last.value = line.slice(5);
    } else if (word === "stdin") {
      steps.push({ kind: "stdin", text: unquote(rest) });
    } else if (word === "file") {
      const [path, body] = cut(rest, " ");
      steps.push({ kind: "file", path, text: unquote(body) });
    } else if (word === "env") {
      const [name, value] = cut(rest, "=");
      steps.push({ kind: "env", name, value });
    } else if (run === undefined) {
      throw new Error(`a transcript cannot start with: ${line}`);
    } else if (word === ">") {
      const [method, target] = cut(rest, " ");
      const [path, body] = cut(target, " ");
      const request = { request: `${method} ${path}`, requestBody: unquote(body) };
      run.exchanges = [...run.exchanges, { ...request, status: 0, body: "" }];
    } else if (word === "<") {
      const [, status, location, body = ""] = ANSWER.exec(rest) ?? [];
      const asked = run.exchanges.at(-1);
      if (asked === undefined) throw new Error(`an answer to nothing: ${line}`);
      run.exchanges = [
        ...run.exchanges.slice(0, -1),
        {
          ...asked,
          status: Number(status),
          body: unquote(body),
          ...(location === undefined ? {} : { location }),
        },
      ];
    } else if (word === "exit") {
      run.outcome = { ...run.outcome, exitCode: Number(rest) };
    } else if (word === "out|") {
      run.outcome = { ...run.outcome, stdout: `${run.outcome.stdout}${rest}\n` };
    } else if (word === "err|") {
      run.outcome = { ...run.outcome, stderr: `${run.outcome.stderr}${rest}\n` };
    } else {
      throw new Error(`not a line of a transcript: ${line}`);
    }
  }
  return steps;
}

export function printTranscript(steps: readonly Step[]): string {
  return `${steps.map(printStep).join("\n").trimEnd()}\n`;
}

function printStep(step: Step): string {
  switch (step.kind) {
    case "note":
      return step.text;
    case "let":
      return `let ${step.name} = ${step.how}\n  is ${step.value}`;
    case "stdin":
      return `stdin ${quote(step.text)}`;
    case "file":
      return `file ${step.path} ${quote(step.text)}`;
    case "env":
      return `env ${step.name}=${step.value}`;
    case "run":
      return printRun(step);
  }
}

function printRun({ command, exchanges, outcome }: Run): string {
  const lines = [`$ ${command}`];
  for (const { request, requestBody, status, body, location } of exchanges) {
    lines.push(`> ${request}${requestBody === "" ? "" : ` ${quote(requestBody)}`}`);
    const redirect = location === undefined ? "" : ` location=${location}`;
    lines.push(`< ${status}${redirect}${body === "" ? "" : ` ${quote(body)}`}`);
  }
  lines.push(`exit ${outcome.exitCode}`);
  lines.push(...prefixed("out|", outcome.stdout), ...prefixed("err|", outcome.stderr));
  return lines.join("\n");
}

function prefixed(prefix: string, text: string): string[] {
  if (text === "") return [];
  if (!text.endsWith("\n")) throw new Error(`output does not end its last line: ${text}`);
  return text
    .slice(0, -1)
    .split("\n")
    .map((line) => (line === "" ? prefix : `${prefix} ${line}`));
}

/** Bytes are held as latin1 text throughout, so that none is lost. */
function quote(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  const utf8 = bytes.toString("utf8");
  return Buffer.from(utf8, "utf8").equals(bytes)
    ? JSON.stringify(utf8)
    : `latin1${JSON.stringify(latin1)}`;
}

function unquote(text: string): string {
  if (text === "") return "";
  if (text.startsWith("latin1")) return JSON.parse(text.slice(6)) as string;
  return Buffer.from(JSON.parse(text) as string, "utf8").toString("latin1");
}

function cut(text: string, at: string): [before: string, after: string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + at.length)];
}

/** What one command is run with. */
export interface Scene {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** Goes through the steps in order. Whoever records sets a `let`'s value before asking for the next. */
export function* walk(
  steps: readonly Step[],
): Generator<{ step: Let; how: string } | { step: Run; scene: Scene }> {
  const values = new Map<string, string>();
  const env: Record<string, string> = {};
  const files: Record<string, string> = {};
  let stdin = "";
  const fill = (text: string): string =>
    text.replace(/\$\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole);
  for (const step of steps) {
    switch (step.kind) {
      case "note":
        break;
      case "let":
        yield { step, how: fill(step.how) };
        values.set(step.name, step.value);
        break;
      case "stdin":
        stdin = step.text;
        break;
      case "file":
        files[step.path] = step.text;
        break;
      case "env":
        env[step.name] = step.value;
        break;
      case "run": {
        const args = shellWords(fill(step.command));
        yield {
          step,
          scene: { command: step.command, args, env: { ...env }, files: { ...files }, stdin },
        };
        stdin = "";
      }
    }
  }
}

export function scenesOf(steps: readonly Step[]): (Scene & Run)[] {
  return [...walk(steps)].flatMap((at) => ("scene" in at ? [{ ...at.step, ...at.scene }] : []));
}

/** A shell's words: single quotes and `$'...'` escapes, nothing else. */
function shellWords(line: string): string[] {
  const words = line.match(/(?:\$?'[^']*'|[^\s'])+/g) ?? [];
  return words.map((word) =>
    word.replace(/(\$?)'([^']*)'/g, (_whole, dollar: string, body: string) =>
      dollar === "" ? body : (JSON.parse(`"${body.replace(/"/g, '\\"')}"`) as string),
    ),
  );
}

/** What of a usage text is compared: its first line. The name of the program is the product's own. */
export function withoutUsageTexts(text: string): string {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    lines.push(line.replace(/^Usage: rollcall/, "Usage: consul"));
    if (line.startsWith("Usage:")) return [...lines, "...", ""].join("\n");
  }
  return lines.join("\n");
}
