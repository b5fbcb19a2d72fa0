// Keeps the page live: fetches it again every second and replaces the parts that changed, except one that somebody is
// typing into. Without this script the page reloads now and then.
"use strict";

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    const typing = part.contains(document.activeElement) && document.activeElement.matches("input, button");
    const typed = [...part.querySelectorAll("input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
    if (next && !typing && !typed && next.innerHTML !== part.innerHTML) part.innerHTML = next.innerHTML;
  }
}

setInterval(() => document.hidden || refresh().catch(() => {}), 1000);
