"""A headless Chromium, driven over a pipe by its DevTools protocol: no other program or package is needed."""
import base64, json, os, select, subprocess, time

CONTRAST = """
(() => {
  const parse = text => { const m = text.match(/rgba?\\(([^)]*)\\)/); return m ? m[1].split(/[,/ ]+/).filter(Boolean).map(Number) : null; };
  const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map(i => top[i] * a + below[i] * (1 - a)); };
  const light = rgb => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = element => { const layers = []; for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    let colour = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
    for (const layer of layers.reverse()) if (layer) colour = over(layer, colour); return colour; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); const bad = []; let seen = 0, least = 99;
  while (walker.nextNode()) { const node = walker.currentNode; const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "TITLE", "DESC"].includes(element.tagName.toUpperCase())) continue;
    const style = getComputedStyle(element); if (style.visibility === "hidden") continue;
    const ink = parse(element instanceof SVGElement ? style.fill : style.color); const paper = behind(element);
    const [a, b] = [light(over(ink, paper)), light(paper)].sort((x, y) => y - x); const ratio = (a + 0.05) / (b + 0.05);
    seen++; least = Math.min(least, ratio); if (ratio < 4.5) bad.push(node.data.trim().slice(0, 40) + " " + ratio.toFixed(2)); }
  return JSON.stringify({ bad, seen, least, wide: document.documentElement.scrollWidth > innerWidth });
})()
"""
# Roles that a person can operate, or stop at with the keyboard.
CONTROLS = {"link", "button", "checkbox", "textbox", "combobox", "DisclosureTriangle", "slider", "tab", "menuitem"}


class Browser:
    def __init__(self, program):
        (to_read, self.input), (self.output, to_write) = os.pipe(), os.pipe()

        def descriptors():
            # The protocol's ends are descriptors 3 and 4; each is moved out of the other's way first.
            os.dup2(os.dup2(to_read, 90), 3)
            os.dup2(os.dup2(to_write, 91), 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-pipe", "about:blank"],
            close_fds=False, preexec_fn=descriptors, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read), os.close(to_write)
        self.number, self.rest, self.events = 0, b"", []

    def message(self, seconds=30):
        end = time.monotonic() + seconds
        while b"\0" not in self.rest:
            if not select.select([self.output], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.output, 1 << 20)
            if not data:
                raise EOFError("the browser ended")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.input, data):]
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method, seconds=30):
        end = time.monotonic() + seconds
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message(end - time.monotonic()))

    def look(self, address, width, height, dark, picture, phone=False):
        """Loads a page as a person would see it, and says what is wrong with it."""
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable", session)
        self.call("Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=1,
                  mobile=phone)
        self.call("Emulation.setEmulatedMedia", session,
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", session, url=address)
        self.wait_for("Page.loadEventFired")
        problems = []
        found = json.loads(self.call("Runtime.evaluate", session, expression=CONTRAST)["result"]["value"])
        problems += [f"contrast: {text}" for text in found["bad"]]
        if found["seen"] < 100:
            problems.append(f"only {found['seen']} texts on the page")
        if found["wide"]:
            problems.append("the page is wider than the window")
        nodes = self.call("Accessibility.getFullAXTree", session)["nodes"]
        controls = 0
        for node in nodes:
            focusable = any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
            role = node.get("role", {}).get("value", "")
            if node.get("ignored") or not (role in CONTROLS or focusable and role != "RootWebArea"):
                continue
            controls += 1
            if not node.get("name", {}).get("value", "").strip():
                problems.append(f"a {role} without a name")
        shot = self.call("Page.captureScreenshot", session, captureBeyondViewport=False)
        picture.write_bytes(base64.b64decode(shot["data"]))
        for event in self.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith((address, "data:", "about:")):
                    problems.append(f"a request to {url}")
            elif method == "Log.entryAdded":
                problems.append(f"console: {parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
                problems.append(f"console: {parameters['args']}")
            elif method == "Runtime.exceptionThrown":
                problems.append(f"exception: {parameters['exceptionDetails']['text']}")
        self.call("Target.closeTarget", targetId=target)
        return problems, controls, found["least"]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.input), os.close(self.output)
