// Drives the API with the client of Durable Functions, through every call that it has: once by the links of a start (the
// way of webhooks), once by a base URL (the way of out-of-process SDKs). It prints a line for each call that did what it
// should, and ends with 1 at the first that did not. WEBHOOK and RPC are base URLs, KEY opens the first; BANK is posted
// to when the bank is to open.
const assert = require("node:assert/strict");
const df = require("durable-functions");

const { WEBHOOK, RPC, KEY, BANK, HUB } = process.env;
process.env.WEBSITE_HOSTNAME = new URL(WEBHOOK).host;

// clientOf gives the client that a function would be given.
function clientOf(data) {
  const input = df.input.durableClient();
  return df.getClient({ options: { extraInputs: [input] }, extraInputs: new Map([[input, data]]) });
}

async function webhookData() {
  const started = await fetch(`${WEBHOOK}orchestrators/flow.Echo/INSTANCEID?code=${KEY}`, { method: "POST" });
  assert.equal(started.status, 202);
  return {
    taskHubName: HUB,
    creationUrls: { createNewInstancePostUri: `${WEBHOOK}orchestrators/{functionName}[/{instanceId}]?code=${KEY}` },
    managementUrls: await started.json(),
    baseUrl: WEBHOOK.replace(/\/$/, ""),
    requiredQueryStringParameters: `code=${KEY}`,
  };
}

// until asks again and again; the test that runs this bounds the time.
async function until(client, id, ...wanted) {
  for (;;) {
    const status = await client.getStatus(id, { showInput: true });
    if (wanted.includes(status.runtimeStatus)) return status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function drive(way, client, code) {
  const ok = (what) => console.log(`ok ${way} ${what}`);
  const id = (name) => `${way}-${name}`;

  const input = { a: [1, "zwei", null] };
  assert.equal(await client.startNew("flow.Echo", { instanceId: id("echo"), input }), id("echo"));
  const echoed = await until(client, id("echo"), "Completed");
  assert.deepEqual(echoed.input, input);
  assert.deepEqual(echoed.output, input);
  assert.equal(echoed.name, "flow.Echo");
  assert.ok(echoed.createdTime instanceof Date && !isNaN(echoed.createdTime));
  ok("startNew, getStatus");

  const made = await client.startNew("flow.Echo");
  assert.equal((await until(client, made, "Completed")).output, "");
  ok("startNew without id and input");

  const versioned = await client.startNew("flow.Wait", { instanceId: id("version"), version: "9" });
  const told = await fetch(`${way === "rpc" ? RPC : WEBHOOK}instances/${versioned}?code=${code}`);
  assert.equal((await told.json()).version, "9");
  ok("startNew with a version");

  await assert.rejects(client.startNew("flow.None"), /status code: 400.*flow\.None/);
  await assert.rejects(client.startNew("flow.Echo", { instanceId: versioned }), /status code: 409/);
  await assert.rejects(client.getStatus(id("none")), /HTTP 404/);
  ok("startNew and getStatus that are refused");

  await client.startNew("flow.Wait", { instanceId: id("event"), input: 1 });
  assert.equal((await until(client, id("event"), "Running")).customStatus ?? "waiting", "waiting");
  await client.raiseEvent(id("event"), "go", { x: 1 });
  assert.deepEqual((await until(client, id("event"), "Completed")).output, { x: 1 });
  await client.raiseEvent(id("event"), "go", 1); // 410 is no error
  await assert.rejects(client.raiseEvent(id("none"), "go", 1), /No instance/);
  await client.startNew("flow.Wait", { instanceId: id("nothing") });
  await client.raiseEvent(id("nothing"), "GO");
  assert.equal((await until(client, id("nothing"), "Completed")).output, null);
  ok("raiseEvent");

  await client.startNew("flow.Wait", { instanceId: id("steered") });
  await until(client, id("steered"), "Running");
  await client.suspend(id("steered"), "an audit");
  assert.equal((await until(client, id("steered"), "Suspended")).output, "an audit");
  await assert.rejects(client.suspend(id("steered"), "again"), /status code: 500/);
  await client.resume(id("steered"), "done");
  await until(client, id("steered"), "Running");
  await assert.rejects(client.resume(id("steered"), "again"), /status code: 500/);
  await client.terminate(id("steered"), "enough");
  assert.equal((await until(client, id("steered"), "Terminated")).output, "enough");
  for (const call of ["suspend", "resume", "terminate"]) {
    await client[call](id("steered"), "late"); // 410 is no error
    await assert.rejects(client[call](id("none"), "x"), /No instance/);
  }
  ok("suspend, resume, terminate");

  await client.startNew("flow.Pay", { instanceId: id("pay"), input: 5 });
  assert.match((await until(client, id("pay"), "Failed")).output, /card declined/);
  await fetch(BANK, { method: "POST" });
  await client.rewind(id("pay"), "the bank is open");
  assert.equal((await until(client, id("pay"), "Completed")).output, 5);
  await assert.rejects(client.rewind(id("pay"), "again"));
  await assert.rejects(client.rewind(id("none"), "x"));
  ok("rewind");

  const history = await fetch(`${way === "rpc" ? RPC : WEBHOOK}instances/${id("pay")}?showHistory=true&showHistoryOutput=true&code=${code}`);
  const names = (await history.json()).historyEvents.map((e) => e.EventType);
  assert.deepEqual(names.filter((n) => n !== "GenericEvent"), ["ExecutionStarted", "TaskCompleted", "ExecutionCompleted"]);
  await client.getStatus(id("pay"), { showHistory: true, showHistoryOutput: true, showInput: false });
  ok("getStatus with a history");

  const many = await Promise.all(Array.from({ length: 120 }, (_, n) => client.startNew("flow.Echo", { instanceId: id(`many-${n}`), input: n })));
  for (const each of many) await until(client, each, "Completed");
  const all = (await client.getStatusAll()).map((s) => s.instanceId);
  assert.equal(new Set(all).size, all.length);
  for (const each of many) assert.ok(all.includes(each), `${each} is on no page`);
  ok(`getStatusAll, over pages`);

  const ended = await client.getStatusBy({ runtimeStatus: [df.OrchestrationRuntimeStatus.Terminated], createdTimeFrom: new Date(0), createdTimeTo: new Date(Date.now() + 60_000) });
  assert.ok(ended.some((s) => s.instanceId === id("steered")) && ended.every((s) => s.runtimeStatus === "Terminated"));
  ok("getStatusBy");

  const request = { url: "http://front.example/api/start", method: "POST" };
  const finished = await client.waitForCompletionOrCreateCheckStatusResponse(request, id("echo"), { timeoutInMilliseconds: 1000, retryIntervalInMilliseconds: 100 });
  assert.equal(finished.status, 200);
  const checks = client.createCheckStatusResponse(undefined, id("echo"));
  assert.equal(checks.status, 202);
  ok("waitForCompletionOrCreateCheckStatusResponse, createCheckStatusResponse");

  const links = client.createHttpManagementPayload(id("echo"));
  for (const [name, link] of Object.entries(links)) {
    if (name !== "id") assert.ok(link.includes(`/instances/${id("echo")}`), `${name}: ${link}`);
  }
  assert.equal((await fetch(links.statusQueryGetUri)).status, 200);
  ok("createHttpManagementPayload");

  const entity = new df.EntityId("counter", "x");
  assert.equal((await client.readEntityState(entity)).entityExists, false);
  await assert.rejects(client.signalEntity(entity, "add", 1), /status code: 404/);
  ok("entities are not there");

  assert.equal((await client.purgeInstanceHistory(id("echo"))).instancesDeleted, 1);
  assert.equal((await client.purgeInstanceHistory(id("echo"))).instancesDeleted, 0);
  await assert.rejects(client.purgeInstanceHistory(versioned), /status code: 409/);
  const purged = await client.purgeInstanceHistoryBy({ createdTimeFrom: new Date(0), createdTimeTo: new Date(Date.now() + 60_000), runtimeStatus: [df.OrchestrationRuntimeStatus.Completed] });
  assert.ok(purged.instancesDeleted >= 120, `${purged.instancesDeleted} purged`);
  assert.equal((await client.getStatus(versioned)).runtimeStatus, "Running");
  ok("purgeInstanceHistory, purgeInstanceHistoryBy");
}

(async () => {
  const data = await webhookData();
  await drive("webhook", clientOf(data), KEY);
  await fetch(BANK, { method: "DELETE" });
  await drive("rpc", clientOf({ ...data, rpcBaseUrl: RPC }), "");
  console.log("every call works");
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
