"""Draws a web page as a real browser lays it out, as an SVG file of boxes and text.

page_picture.py ADDRESS FILE HOME    HOME is written as a user's

A screenshot would be larger, and could not be read aloud or searched.
"""

import json
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Acceptance"))
from browser import Browser  # noqa: E402

WIDTH, HEIGHT = 1000, 1400

DRAWING = """
(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(HOME, "/home/you");
  const out = [], escaped = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const r = number => Math.round(number * 10) / 10, pen = document.createElement("canvas").getContext("2d");
  const seen = colour => colour && colour !== "none" && !/, 0\\)$/.test(colour) && colour !== "transparent";
  const box = element => {
    const style = getComputedStyle(element), at = element.getBoundingClientRect();
    if (!at.width || !at.height) return;
    const borders = ["Top", "Right", "Bottom", "Left"].map(side => parseFloat(style[`border${side}Width`]));
    const framed = borders.every(width => width > 0);
    if (seen(style.backgroundColor) || framed)
      out.push(`<rect x="${r(at.x)}" y="${r(at.y)}" width="${r(at.width)}" height="${r(at.height)}" rx="${parseFloat(style.borderTopLeftRadius) || 0}"`
        + ` fill="${seen(style.backgroundColor) ? style.backgroundColor : "none"}"${framed ? ` stroke="${style.borderTopColor}"` : ""}/>`);
    if (!framed && borders[2] > 0)
      out.push(`<path d="M${r(at.x)} ${r(at.bottom)}h${r(at.width)}" stroke="${style.borderBottomColor}" stroke-width="${borders[2]}"/>`);
    if (!framed && borders[3] > 0)
      out.push(`<path d="M${r(at.x)} ${r(at.y)}v${r(at.height)}" stroke="${style.borderLeftColor}" stroke-width="${borders[3]}"/>`);
  };
  const text = node => {
    const style = getComputedStyle(node.parentElement), size = parseFloat(style.fontSize);
    pen.font = `${style.fontWeight} ${size}px ${style.fontFamily}`;
    const range = document.createRange(), lines = [];
    for (const word of node.data.matchAll(/\\S+/g)) {
      range.setStart(node, word.index), range.setEnd(node, word.index + word[0].length);
      const at = range.getBoundingClientRect(), last = lines[lines.length - 1];
      if (!at.width) continue;
      if (last && Math.abs(last.y - at.y) < 2) last.words.push(word[0]), last.right = at.right;
      else lines.push({ words: [word[0]], x: at.x, y: at.y, height: at.height, right: at.right });
    }
    for (const line of lines) {
      const ink = pen.measureText("x"), ascent = ink.fontBoundingBoxAscent, descent = ink.fontBoundingBoxDescent;
      out.push(`<text x="${r(line.x)}" y="${r(line.y + (line.height - ascent - descent) / 2 + ascent)}" font-size="${size}"`
        + ` font-weight="${style.fontWeight}" fill="${style.color}" textLength="${r(line.right - line.x)}" lengthAdjust="spacingAndGlyphs"`
        + `${/mono/i.test(style.fontFamily) ? ' font-family="monospace"' : ""}>${escaped(line.words.join(" "))}</text>`);
    }
  };
  const picture = svg => {
    const copy = svg.cloneNode(true), at = svg.getBoundingClientRect(), from = svg.querySelectorAll("*"), to = copy.querySelectorAll("*");
    from.forEach((element, number) => { const style = getComputedStyle(element);
      for (const name of ["fill", "stroke", "stroke-width", "font-size", "opacity", "text-anchor"]) to[number].setAttribute(name, style.getPropertyValue(name));
      to[number].removeAttribute("class"); to[number].removeAttribute("style"); });
    copy.removeAttribute("class"); copy.removeAttribute("style");
    Object.entries({ x: r(at.x), y: r(at.y), width: r(at.width), height: r(at.height) }).forEach(([name, value]) => copy.setAttribute(name, value));
    out.push(new XMLSerializer().serializeToString(copy));
  };
  const draw = (element, bottom) => {
    const style = getComputedStyle(element);
    if (["SCRIPT", "STYLE"].includes(element.tagName) || style.display === "none" || style.visibility === "hidden") return;
    if (element instanceof SVGElement) return picture(element);
    const at = element.getBoundingClientRect();
    // What is scrolled out of sight, and what is folded away, is not seen.
    if (at.width < 2 && at.height < 2 || at.y >= bottom - 1 || element.tagName === "TR" && at.bottom > bottom + 1) return;
    if (style.overflowY !== "visible") bottom = Math.min(bottom, at.bottom);
    box(element);
    const folded = element.tagName === "DETAILS" && !element.open;
    for (const child of element.childNodes)
      if (child.nodeType === 3) text(child);
      else if (child.nodeType === 1 && (!folded || child.tagName === "SUMMARY")) draw(child, bottom);
  };
  const last = [...document.querySelectorAll("section")].map(section => section.getBoundingClientRect().bottom).find(edge => edge > 600) ?? 1400;
  for (const child of document.body.children) draw(child, last);
  return JSON.stringify({ shapes: out, height: Math.ceil(last + 16) });
})()
"""


def main():
    address, file, home = sys.argv[1:]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("page_picture: there is no chromium")
    browser = Browser(program)
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.call("Page.enable", session)
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        browser.call("Emulation.setDeviceMetricsOverride", session, **size)
        light = [{"name": "prefers-color-scheme", "value": "light"}]
        browser.call("Emulation.setEmulatedMedia", session, features=light)
        browser.call("Page.navigate", session, url=address)
        browser.wait_for("Page.loadEventFired")
        drawing = DRAWING.replace("HOME", json.dumps(home))
        drawn = json.loads(browser.call("Runtime.evaluate", session, expression=drawing)["result"]["value"])
    finally:
        browser.close()
    height = drawn["height"]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" aria-label="the page of hrp ops" font-family="system-ui, sans-serif">'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )
    pathlib.Path(file).write_text("\n".join([head, *drawn["shapes"], "</svg>", ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
