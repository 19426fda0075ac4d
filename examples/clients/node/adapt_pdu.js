// Has an MMS PDU fitted for a device: the call of an MMSC, with deadline, retries, token and TLS.
//
//   node adapt_pdu.js 127.0.0.1:50051 message.mms fitted.mms --device nokia-6600
//   node adapt_pdu.js dns:///mmsfit.example:50051 message.mms fitted.mms --carrier us-att \
//       --ca ca.pem --cert mmsc.pem --key mmsc.key --token-file token

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: "string", default: "" },
    "user-agent": { type: "string", default: "" },
    carrier: { type: "string", default: "" },
    "max-bytes": { type: "string" },
    deadline: { type: "string", default: "10" }, // seconds, retries included
    "request-id": { type: "string", default: "" },
    "token-file": { type: "string" },
    ca: { type: "string" }, // turns TLS on
    cert: { type: "string" },
    key: { type: "string" },
    proto: {
      type: "string",
      default: join(dirname(fileURLToPath(import.meta.url)), "../../../proto"),
    },
  },
});
if (positionals.length !== 3) {
  console.error("usage: adapt_pdu.js ADDRESS PDU OUT [options]");
  process.exit(2);
}
const [address, pdu, out] = positionals;

// --- the service, as its proto files describe it ---
const definition = loader.loadSync("mmsfit/v1/adaptation.proto", {
  includeDirs: [options.proto],
  keepCase: true,
  enums: String,
  longs: Number,
  defaults: true,
});
const { AdaptationService } = grpc.loadPackageDefinition(definition).mmsfit.v1;

// Plain text, or TLS where --ca is given; with a certificate of our own where the service asks.
const read = (path) => (path ? readFileSync(path) : null);
const credentials = options.ca
  ? grpc.credentials.createSsl(read(options.ca), read(options.key), read(options.cert))
  : grpc.credentials.createInsecure();
const client = new AdaptationService(address, credentials, {
  // Messages are larger than the 4 MiB that gRPC takes by default.
  "grpc.max_receive_message_length": 64 << 20,
  "grpc.max_send_message_length": 64 << 20,
  // One connection to each address behind the name, calls in turn.
  "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
});

// --- the details of an error: a google.rpc.Status in a trailer, of which two messages are read here.
// Field numbers are those of google/rpc/status.proto and error_details.proto. ---
function fields(bytes) {
  const found = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const octet = bytes[at++];
      value += (octet & 127) * shift;
      if (octet < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value = varint(); // the value itself, or the length of what follows
    if (tag % 8 === 2) {
      at += value;
      value = bytes.subarray(at - value, at);
    }
    found.push([tag >> 3, value]);
  }
  return found;
}
const field = (bytes, number) => fields(bytes).find(([n]) => n === number)?.[1];

// The reason, and after how many seconds to try again (undefined: no hint).
function details(error) {
  const found = { reason: "", hint: undefined };
  const [status] = error.metadata?.get("grpc-status-details-bin") ?? [];
  for (const [number, any] of status ? fields(status) : []) {
    if (number !== 3) continue;
    const type = field(any, 1).toString();
    const value = field(any, 2) ?? Buffer.alloc(0);
    if (type.endsWith("/google.rpc.ErrorInfo")) found.reason = field(value, 1).toString();
    if (type.endsWith("/google.rpc.RetryInfo")) {
      const delay = field(value, 1) ?? Buffer.alloc(0);
      found.hint = (field(delay, 1) ?? 0) + (field(delay, 2) ?? 0) / 1e9;
    }
  }
  return found;
}

// --- the call. The deadline is for all attempts together ---
const request = {
  request_id: options["request-id"],
  mms_pdu: readFileSync(pdu),
  carrier: options.carrier,
  device: { device_id: options.device, user_agent: options["user-agent"] },
};
if (options["max-bytes"]) {
  request.limits = { max_message_bytes: Number(options["max-bytes"]) };
}
const metadata = new grpc.Metadata();
if (options["token-file"]) {
  metadata.set("authorization", `Bearer ${readFileSync(options["token-file"], "utf8").trim()}`);
}
const end = Date.now() + Number(options.deadline) * 1000;
const retried = [grpc.status.RESOURCE_EXHAUSTED, grpc.status.UNAVAILABLE];

async function adapt() {
  for (;;) {
    try {
      return await new Promise((resolve, reject) => {
        client.Adapt(request, metadata, { deadline: end }, (error, answer) =>
          error ? reject(error) : resolve(answer),
        );
      });
    } catch (error) {
      const { reason, hint } = details(error);
      // The same input gives the same bytes, and nothing is stored: a retry is safe.
      if (!retried.includes(error.code) || hint === undefined || Date.now() + hint * 1000 >= end) {
        console.error(`${grpc.status[error.code]} ${reason}: ${error.details}`);
        process.exit(1);
      }
      // Those who were refused together do not come back together.
      const pause = Math.min(hint * (1 + Math.random() / 2), (end - Date.now()) / 1000);
      console.error(`${reason}: again in ${pause.toFixed(1)} s`);
      await sleep(pause * 1000);
    }
  }
}

const answer = await adapt();
client.close();
writeFileSync(out, answer.mms_pdu);
const { outcome, wire_bytes_before, wire_bytes_after } = answer.report;
console.log(`${outcome}: ${wire_bytes_before} -> ${wire_bytes_after} bytes`);
