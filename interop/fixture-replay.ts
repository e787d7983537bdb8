/**
 * Replays answers that were recorded from Consul (testdata/http/README.md says how) against an agent of ours.
 * A case is its setup, one request whose answer is compared, and its teardown.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent as ConnectionPool, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  comparable,
  type Comparable,
  type Variation,
  type WireAnswer,
} from "./fixture-normalise.ts";
import { agentWith, eventually, http } from "./testkit.ts";

const FIXTURES = new URL("testdata/http/", import.meta.url);

interface Step {
  readonly agent?: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Variable to the JSON pointer of its value in the answer. */
  readonly capture?: Readonly<Record<string, string>>;
  readonly sleep_ms?: number;
}
export interface Fixture {
  readonly id: string;
  readonly group: string;
  readonly tier: string;
  readonly title: string;
  readonly agent: string;
  readonly setup?: readonly Step[];
  readonly request: Step;
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly bodyOmitted?: boolean;
    readonly bodyExcerpt?: boolean;
  };
  readonly varies?: readonly Variation[];
  readonly teardown?: readonly Step[];
}
interface Index {
  readonly agents: Readonly<
    Record<string, { readonly address: string; readonly config: Readonly<Record<string, unknown>> }>
  >;
  readonly fixtures: readonly { readonly file: string }[];
}

const readJson = (file: string): unknown =>
  JSON.parse(readFileSync(new URL(file, FIXTURES), "utf8")) as unknown;
const INDEX = readJson("index.json") as Index;

/** In the order of the recording. */
export const FIXTURE_CASES: readonly Fixture[] = INDEX.fixtures.map(
  ({ file }) => readJson(file) as Fixture,
);

/** An agent of ours, configured as the recorded one was. */
export interface StandIn extends AsyncDisposable {
  readonly host: string;
  /** The address that the recorded agent had. */
  readonly recordedHost: string;
}

/** @param config in place of what was recorded, key for key */
export async function standInFor(
  name: string,
  host: string,
  config: object = {},
): Promise<StandIn> {
  const recorded = INDEX.agents[name];
  if (recorded === undefined) throw new Error(`no agent ${name} was recorded`);
  const folder = await mkdtemp(join(tmpdir(), "rollcall-replay-"));
  const configFile = join(folder, "agent.json");
  const own = { data_dir: join(folder, "data"), bind_addr: host, client_addr: host };
  await writeFile(configFile, JSON.stringify({ ...recorded.config, ...config, ...own }));
  const agent = await agentWith([`-config-file=${configFile}`]);
  await eventually(
    "it has told of itself",
    async () => (await http(host, "/v1/catalog/nodes")).body,
    (body) => body.includes("lan_ipv4"),
  );
  return {
    host,
    recordedHost: recorded.address.replace(/:\d+$/, ""),
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly answer: WireAnswer;
}
export interface Replayed {
  readonly ours: WireAnswer;
  readonly recorded: WireAnswer;
  readonly varies: readonly Variation[];
}

/** Both answers as far as they are to be the same. */
export function compared(
  { ours, recorded, varies }: Replayed,
  leftOutParts: readonly string[] = [],
): { readonly ours: Comparable; readonly recorded: Comparable } {
  const all = [...varies, ...leftOutParts.map((at) => ({ at, kind: "left-out" }))];
  return { ours: comparable(ours, all), recorded: comparable(recorded, all) };
}

/** Sends cases to one agent, over connections that it keeps. */
export class Replay implements Disposable {
  readonly #pool = new ConnectionPool({ keepAlive: true, maxSockets: 4 });
  readonly #host: string;
  readonly #recordedHost: string;
  /** Everything that was asked and answered, setup and teardown included. */
  readonly exchanges: Exchange[] = [];
  #runNumber = 0;

  /** Its address stands for the recorded agent's, in requests and in answers. */
  constructor({ host, recordedHost }: StandIn) {
    this.#host = host;
    this.#recordedHost = recordedHost;
  }

  async run(fixture: Fixture): Promise<Replayed> {
    const variables = new Map([["n", String(++this.#runNumber)]]);
    for (const step of fixture.setup ?? []) await this.#step(step, variables);
    const ours = await this.#step(fixture.request, variables);
    for (const step of fixture.teardown ?? []) await this.#step(step, variables);
    const { response } = fixture;
    const isPart = response.bodyOmitted === true || response.bodyExcerpt === true;
    const varies: readonly Variation[] = [
      ...(fixture.varies ?? []),
      ...(isPart ? [{ at: "body", kind: "part" }] : []),
    ];
    const recorded: WireAnswer = {
      status: response.status,
      headers: Object.entries(response.headers),
      body: this.#here(response.body),
    };
    return { ours, recorded, varies };
  }

  /** One request besides the recorded ones. */
  ask(method: string, path: string, body?: unknown): Promise<WireAnswer> {
    return this.#step({ method, path, body }, new Map());
  }

  async #step(step: Step, variables: Map<string, string>): Promise<WireAnswer> {
    const fill = (text: string): string =>
      this.#here(text).replace(/\{\{(\w+)\}\}/g, (all, name: string) => variables.get(name) ?? all);
    const path = fill(step.path);
    const answer = await this.#send(step.method, path, step.headers, bodyText(step.body, fill));
    this.exchanges.push({ method: step.method, path, answer });
    for (const [name, pointer] of Object.entries(step.capture ?? {})) {
      variables.set(name, String(memberAt(JSON.parse(answer.body), pointer)));
    }
    if (step.sleep_ms !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, step.sleep_ms));
    }
    return answer;
  }

  #here(text: string): string {
    return text.replaceAll(this.#recordedHost, this.#host);
  }

  #send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body: string | undefined,
  ): Promise<WireAnswer> {
    return new Promise((resolve, reject) => {
      // Node itself says nothing of the body of a DELETE.
      const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
      const options = { host: this.#host, port: 8500, method, path, agent: this.#pool };
      const sent = request({ ...options, headers: { ...length, ...headers } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const raw = Buffer.concat(chunks);
          const isGzip = response.headers["content-encoding"] === "gzip";
          resolve({
            status: response.statusCode ?? 0,
            headers: pairs(response.rawHeaders),
            body: (isGzip ? gunzipSync(raw) : raw).toString(),
          });
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#pool.destroy();
  }
}

/** JSON as JSON, a string as it is, `@repeat:X:N` as N times X. */
function bodyText(body: unknown, fill: (text: string) => string): string | undefined {
  if (body === undefined) return undefined;
  if (typeof body !== "string") return fill(JSON.stringify(body));
  const repeated = /^@repeat:(.):(\d+)$/s.exec(body);
  return repeated === null ? fill(body) : (repeated[1] ?? "").repeat(Number(repeated[2]));
}

function memberAt(value: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

function pairs(raw: readonly string[]): Array<readonly [string, string]> {
  const found: Array<readonly [string, string]> = [];
  for (let i = 0; i + 1 < raw.length; i += 2) found.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  return found;
}
