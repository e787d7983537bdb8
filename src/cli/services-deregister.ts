/** `rollcall services deregister`: removes services from the local agent. */
import { openApi } from "./api-client.ts";
import { clientFlags, namespaceFlag, serverFlags } from "./client-flags.ts";
import { during, Failure, type Command } from "./command.ts";
import { readServiceFiles } from "./service-files.ts";

export const servicesDeregister: Command = {
  name: "services deregister",
  usage: `
Usage: rollcall services deregister [options] [FILE...]

  Removes services from the local agent: one by its ID, or all that stand in the
  files they were registered from. One that is not registered is no error.

      $ rollcall services deregister -id=web-1
      $ rollcall services deregister web.json db.hcl`,
  flags: [
    ...clientFlags,
    ...serverFlags,
    namespaceFlag,
    { name: "id", kind: "text", help: "ID of the service to remove; not together with files." },
  ],
  async run(context) {
    const { args, flags, stdout } = context;
    const id = flags.text("id");
    if (args.length === 0 && id === "") {
      throw new Failure("Service deregistration requires at least one argument or -id.");
    }
    if (args.length > 0 && id !== "") {
      throw new Failure("Service deregistration requires arguments or -id, not both.");
    }
    const services = id === "" ? await readServiceFiles(args, context) : [{ ID: id, Name: "" }];
    using api = await openApi(context);
    for (const service of services) {
      const serviceId = service.ID || service.Name;
      if (serviceId === "") continue;
      // Consul's own words, although nothing is being registered: scripts may look for them.
      await during(
        `Error registering service ${JSON.stringify(service.Name)}`,
        api.ok({ method: "PUT", path: `/v1/agent/service/deregister/${serviceId}` }),
      );
      stdout(`Deregistered service: ${serviceId}\n`);
    }
    return 0;
  },
};
