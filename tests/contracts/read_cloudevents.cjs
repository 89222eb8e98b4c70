// Reads CloudEvents as a consumer in Node does: node read_cloudevents.cjs FILE, a JSON list of events as texts.
// Prints a JSON list: what the SDK made of each, or its complaint.
"use strict";

const { readFileSync } = require("node:fs");
const { HTTP } = require("cloudevents");

const headers = { "content-type": "application/cloudevents+json" };

function read(body) {
  try {
    const event = HTTP.toEvent({ headers, body });
    event.validate();
    const { id, source, type, subject, time, lineageid, sequence, traceparent, data } = event;
    return { event: { id, source, type, subject, time, lineageid, sequence, traceparent, data } };
  } catch (error) {
    return { complaint: `${error.message} ${JSON.stringify(error.errors ?? "")}` };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(process.argv[2], "utf8")).map(read)));
