/** The outcomes of a gRPC call and how grpc-go words them: `rpc error: code = NotFound desc = …`. */
import { STATUS_CODES } from "node:http";

/** Index = wire value. */
const CODES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;
type GrpcCode = (typeof CODES)[number];

export function codeName(wireValue: number): string {
  return CODES[wireValue] ?? `Code(${wireValue})`;
}

export function rpcError(code: string, description: string): Error {
  return new Error(`rpc error: code = ${code} desc = ${description}`);
}

const CODE_OF_HTTP_STATUS: Readonly<Record<number, GrpcCode>> = {
  400: "Internal",
  401: "Unauthenticated",
  403: "PermissionDenied",
  404: "Unimplemented",
  429: "Unavailable",
  502: "Unavailable",
  503: "Unavailable",
  504: "Unavailable",
};

/** For an answer by something that speaks HTTP/2 but not gRPC. */
export function notGrpc(httpStatus: number, contentType: string | undefined): Error {
  const transport =
    contentType === undefined
      ? "missing content-type field"
      : `received the unexpected content-type ${JSON.stringify(contentType)}`;
  const words = `${STATUS_CODES[httpStatus] ?? ""}: HTTP status code ${httpStatus}`;
  return rpcError(
    CODE_OF_HTTP_STATUS[httpStatus] ?? "Unknown",
    `${words}; transport: ${transport}`,
  );
}

/** RFC 9113 §7, index = wire value; what grpc-go makes of each. */
const RESETS: readonly (readonly [name: string, code: GrpcCode])[] = [
  ["NO_ERROR", "Internal"],
  ["PROTOCOL_ERROR", "Internal"],
  ["INTERNAL_ERROR", "Internal"],
  ["FLOW_CONTROL_ERROR", "ResourceExhausted"],
  ["SETTINGS_TIMEOUT", "Internal"],
  ["STREAM_CLOSED", "Unknown"],
  ["FRAME_SIZE_ERROR", "Unknown"],
  ["REFUSED_STREAM", "Unavailable"],
  ["CANCEL", "Canceled"],
  ["COMPRESSION_ERROR", "Internal"],
  ["CONNECT_ERROR", "Internal"],
  ["ENHANCE_YOUR_CALM", "ResourceExhausted"],
  ["INADEQUATE_SECURITY", "PermissionDenied"],
  ["HTTP_1_1_REQUIRED", "Internal"],
];

/** For a stream that the server has reset. */
export function streamReset(http2Code: number): Error {
  const [name, code] = RESETS[http2Code] ?? [`UNKNOWN_${http2Code}`, "Unknown"];
  return rpcError(code, `stream terminated by RST_STREAM with error code: ${name}`);
}
