/** The endpoints of access control, which there is none of: as a Consul whose ACLs are off, they say so. */
import { RollcallError } from "../errors/index.ts";
import { TOKEN_PARAMETERS } from "./query-options.ts";
import { defineRoute, type Operation, type Route } from "./route.ts";

type Method = "GET" | "PUT" | "POST" | "DELETE";

const ENDPOINTS: ReadonlyArray<readonly [path: string, ...methods: Method[]]> = [
  ["/v1/acl/bootstrap", "PUT"],
  ["/v1/acl/login", "POST"],
  ["/v1/acl/logout", "POST"],
  ["/v1/acl/replication", "GET"],
  ["/v1/acl/policies", "GET"],
  ["/v1/acl/policy", "PUT"],
  ["/v1/acl/policy/:policy", "GET", "PUT", "DELETE"],
  ["/v1/acl/policy/name/:policy", "GET"],
  ["/v1/acl/roles", "GET"],
  ["/v1/acl/role", "PUT"],
  ["/v1/acl/role/:role", "GET", "PUT", "DELETE"],
  ["/v1/acl/role/name/:role", "GET"],
  ["/v1/acl/binding-rules", "GET"],
  ["/v1/acl/binding-rule", "PUT"],
  ["/v1/acl/binding-rule/:rule", "GET", "PUT", "DELETE"],
  ["/v1/acl/auth-methods", "GET"],
  ["/v1/acl/auth-method", "PUT"],
  ["/v1/acl/auth-method/:method", "GET", "PUT", "DELETE"],
  ["/v1/acl/rules/translate", "POST"],
  ["/v1/acl/rules/translate/:token", "GET"],
  ["/v1/acl/tokens", "GET"],
  ["/v1/acl/token", "PUT"],
  ["/v1/acl/token/self", "GET"],
  ["/v1/acl/token/:token", "GET", "PUT", "DELETE"],
  // The older kind of tokens.
  ["/v1/acl/create", "PUT"],
  ["/v1/acl/update", "PUT"],
  ["/v1/acl/destroy/:token", "PUT"],
  ["/v1/acl/info/:token", "GET"],
  ["/v1/acl/clone/:token", "PUT"],
  ["/v1/acl/list", "GET"],
  ["/v1/internal/acl/authorize", "POST"],
  ["/v1/agent/token/:slot", "PUT"],
];

const DISABLED: Operation = {
  summary: "Access control is off",
  query: TOKEN_PARAMETERS,
  answerHeaders: "none",
  answers: { 401: { description: "ACL support disabled" } },
  handle: () => {
    throw new RollcallError("feature/disabled", "ACL support disabled");
  },
};

export const aclRoutes: readonly Route[] = ENDPOINTS.map(([path, ...methods]) =>
  defineRoute(path, "ACL", Object.fromEntries(methods.map((method) => [method, DISABLED]))),
);
