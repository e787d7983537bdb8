/** `rollcall version`. Scripts read the line about protocols and the JSON as Consul prints them. */
import { VERSION } from "../model/index.ts";
import { Failure, type Command } from "./command.ts";

/** Consul's protocol versions, which tell agents whether they can work together. */
const PROTOCOL = { default: 2, min: 2, max: 3 } as const;

export const version: Command = {
  name: "version",
  usage: "Usage: rollcall version [options]",
  flags: [
    { name: "format", kind: "text", help: 'Either "pretty", which is the default, or "json".' },
  ],
  run({ flags, stdout }) {
    const format = flags.given("format") ? flags.text("format") : "pretty";
    const print = FORMATS[format];
    if (print === undefined) throw new Failure(`Unknown format: ${format}`);
    stdout(`${print()}\n`);
    return Promise.resolve(0);
  },
};

const FORMATS: Readonly<Record<string, () => string>> = {
  pretty: () =>
    `Rollcall v${VERSION}\n` +
    `Protocol ${PROTOCOL.default} spoken by default, understands ${PROTOCOL.min} to ${PROTOCOL.max} ` +
    `(agent will automatically use protocol >${PROTOCOL.default} when speaking to compatible agents)\n`,
  json: () => {
    const RPC = { Default: PROTOCOL.default, Min: PROTOCOL.min, Max: PROTOCOL.max };
    return JSON.stringify({ Version: VERSION, Revision: "", Prerelease: "", RPC }, null, 3);
  },
};
