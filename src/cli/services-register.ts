/** `rollcall services register`: services of the local agent, from flags or from configuration files. */
import { RollcallError } from "../errors/index.ts";
import { atoi, type ServiceAddress } from "../model/index.ts";
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, Failure, type Command, type CommandContext } from "./command.ts";
import type { CommandFlags } from "./flags.ts";
import { splitHostPort } from "./host-port.ts";
import { encodeRegistration, registrationOf, type Registration } from "./registration.ts";
import { readServiceFiles } from "./service-files.ts";

export const servicesRegister: Command = {
  name: "services register",
  usage: `
Usage: rollcall services register [options] [FILE...]

  Registers services with the local agent, from configuration files (HCL or JSON)
  and directories of such, or one service from flags. The agent keeps them until
  they are removed with "rollcall services deregister".

      $ rollcall services register web.json db.hcl
      $ rollcall services register -name=web -port=80 -tag=v1`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    namespaceFlag,
    { name: "address", kind: "text", help: "Where it is reached; the node's address if empty." },
    {
      name: "id",
      kind: "text",
      help: "ID that tells it from others on this agent; the name if empty.",
    },
    { name: "kind", kind: "text", help: "Kind of service; empty for a typical one." },
    { name: "meta", kind: "pairs", help: "Metadata. May be repeated." },
    { name: "name", kind: "text", help: "Name that clients look for." },
    { name: "port", kind: "int", help: "Port that it listens on." },
    { name: "tag", kind: "list", help: "A tag. May be repeated." },
    {
      name: "tagged-address",
      kind: "pairs",
      help: "Another address, as name=host:port. May be repeated.",
    },
  ],
  async run(context) {
    const { args, flags, stdout } = context;
    if (args.length === 0 && flags.text("name") === "") {
      throw new Failure("Service registration requires at least one argument or flags.");
    }
    if (args.length > 0 && flags.text("name") !== "") {
      throw new Failure("Service registration requires arguments or -id, not both.");
    }
    const services =
      args.length === 0 ? [registrationFrom(flags)] : await registrationsFrom(args, context);
    using api = await openApi(context);
    for (const service of services) {
      await during(
        `Error registering service ${JSON.stringify(service.Name)}`,
        api.ok({
          method: "PUT",
          path: "/v1/agent/service/register",
          body: encodeRegistration(service),
        }),
      );
      stdout(`Registered service: ${service.Name}\n`);
    }
    return 0;
  },
};

async function registrationsFrom(
  paths: readonly string[],
  context: CommandContext,
): Promise<Registration[]> {
  return (await readServiceFiles(paths, context)).map(registrationOf);
}

function registrationFrom(flags: CommandFlags): Registration {
  const tags = flags.list("tag");
  const meta = flags.pairs("meta");
  const addresses = flags.pairs("tagged-address");
  return {
    Kind: flags.text("kind"),
    ID: flags.text("id"),
    Name: flags.text("name"),
    Tags: tags.length === 0 ? null : tags,
    Port: flags.int("port"),
    Address: flags.text("address"),
    TaggedAddresses: addresses.size === 0 ? null : recordOf(addresses, parseServiceAddress),
    EnableTagOverride: false,
    Meta: meta.size === 0 ? null : recordOf(meta, (value) => value),
    Weights: null,
    Check: null,
    Checks: null,
    Proxy: null,
    Connect: null,
  };
}

function recordOf<T>(
  pairs: ReadonlyMap<string, string>,
  read: (value: string) => T,
): Record<string, T> {
  const record = Object.create(null) as Record<string, T>;
  for (const [key, value] of pairs) record[key] = read(value);
  return record;
}

function parseServiceAddress(text: string): ServiceAddress {
  try {
    const { host, port } = splitHostPort(text);
    const { value, error } = atoi(port);
    if (error !== undefined) throw new RollcallError("request/bad", error);
    return { Address: host, Port: value };
  } catch (error) {
    if (!(error instanceof RollcallError)) throw error;
    throw new Failure(`Invalid Tagged Address: ${error.message}`);
  }
}
