/** `rollcall validate`: checks configuration files as an agent would on its start. */
import { validateConfig } from "../config/index.ts";
import { during, Failure, type Command } from "./command.ts";

export const validate: Command = {
  name: "validate",
  usage: `
Usage: rollcall validate [options] FILE_OR_DIRECTORY...

  Checks configuration files and directories as "rollcall agent" would, without
  starting anything. Give all that the agent will be given: settings that are
  missing count as mistakes.

      $ rollcall validate /etc/rollcall.d`,
  flags: [
    {
      name: "config-format",
      kind: "text",
      help: "Read every file as hcl or json, whatever its name ends in.",
    },
    { name: "quiet", kind: "bool", help: "Print nothing if all is well." },
  ],
  async run({ args, flags, platform, stdout, stderr }) {
    const format = flags.text("config-format");
    if (format !== "" && format !== "hcl" && format !== "json") {
      throw new Failure("-config-format must be either 'hcl' or 'json");
    }
    if (args.length === 0) {
      throw new Failure("Must specify at least one config file or directory");
    }
    const warnings = await during(
      "Config validation failed",
      validateConfig(args, { platform, ...(format === "" ? {} : { format }) }),
    );
    if (flags.on("quiet")) return 0;
    for (const warning of warnings) stderr(`${warning}\n`);
    stdout("Configuration is valid!\n");
    return 0;
  },
};
