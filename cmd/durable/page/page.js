"use strict";
// The page asks the management API every two seconds, with the key of its own address (?code=KEY) if that has one. What it
// shows is text, never markup.
const api = "/runtime/webhooks/durabletask/instances";
const $ = (id) => document.getElementById(id);
const key = new URLSearchParams(location.search).get("code");
let chosen = named(); // the instance that is shown whole

// named gives the instance that the address names; one that was mistyped names none.
function named() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

function el(tag, text, className) {
  const e = document.createElement(tag);
  e.textContent = text;
  if (className) e.className = className;
  return e;
}

async function ask(path, params) {
  const answer = await fetch(path + "?" + new URLSearchParams(params), { headers: key ? { "x-functions-key": key } : {} });
  if (!answer.ok && answer.status !== 202) throw new Error((await answer.text()) || answer.statusText);
  return answer.json();
}

function row(i) {
  const tr = document.createElement("tr");
  if (i.instanceId === chosen) tr.className = "chosen";
  tr.append(el("td", i.instanceId), el("td", i.name), el("td", i.runtimeStatus, i.runtimeStatus),
    el("td", new Date(i.createdTime).toLocaleString()), el("td", new Date(i.lastUpdatedTime).toLocaleString()));
  tr.onclick = () => { location.hash = encodeURIComponent(i.instanceId); };
  return tr;
}

function block(title, value) {
  if (value === undefined || value === null || value === "") return [];
  return [el("h3", title), el("pre", typeof value === "string" ? value : JSON.stringify(value, null, 2))];
}

async function detail() {
  $("detail").hidden = !chosen;
  if (!chosen) return;
  const i = await ask(api + "/" + encodeURIComponent(chosen), { showHistory: true, showHistoryOutput: true });
  const head = el("h2", i.instanceId + " ");
  head.append(el("span", i.runtimeStatus, i.runtimeStatus));
  $("detail").replaceChildren(head, ...block("Input", i.input), ...block("Status", i.customStatus), ...block("Output", i.output),
    ...block("History", i.historyEvents));
}

async function refresh() {
  const params = { top: 100 };
  if ($("status").value) params.runtimeStatus = $("status").value;
  if ($("prefix").value) params.instanceIdPrefix = $("prefix").value;
  try {
    const instances = await ask(api, params);
    $("instances").tBodies[0].replaceChildren(...instances.map(row));
    $("note").textContent = instances.length === 0 ? "no instance" : instances.length === 100 ? "the newest 100" : instances.length + " instances";
    await detail();
  } catch (e) {
    $("note").textContent = e.message;
  }
}

$("status").onchange = $("prefix").oninput = refresh;
onhashchange = () => { chosen = named(); refresh(); };
setInterval(refresh, 2000);
refresh();
