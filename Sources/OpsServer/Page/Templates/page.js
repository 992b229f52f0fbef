// Shows the newest state without a reload, unless somebody is reading details.
"use strict";
setInterval(async () => {
  if (document.hidden || document.querySelector("details[open]")) return;
  try {
    const answer = await fetch("/", { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["header", "main"]) {
      document.querySelector(part).replaceWith(page.querySelector(part));
    }
    document.title = page.title;
  } catch (error) {
    // The server is being restarted: the next try may find it.
  }
}, 30000);
