/** The command line. `main.ts` lends it the process and passes on the exit code. */
export { runCli } from "./run-cli.ts";
export type { Child, ChildRequest, CliHost } from "./command.ts";
