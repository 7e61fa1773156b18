#!/usr/bin/env python3
"""Opens a page in headless Chromium and tells, as JSON, what came of it.

    browse.py [--no-script] [--dark] [--print] [--width N] [--click SELECTOR] [--evaluate EXPRESSION]... PAGE

It speaks the DevTools protocol over a pipe (file descriptors 3 and 4, messages that end in a zero byte), so that no port
and no library is needed. The figures are read out of the DOM as it is after loading, by html.parser.
"""

import argparse, html.parser, json, os, pathlib, subprocess, sys, tempfile, time


class Chromium:
    def __init__(self, folder):
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()

        def connect():
            # Out of the way first: a pipe's end may already be 3 or 4.
            command, answer = os.dup(to_read), os.dup(from_write)
            os.dup2(command, 3)
            os.dup2(answer, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=connect, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.out, self.input = os.fdopen(to_write, "wb", 0), os.fdopen(from_read, "rb", 0)
        self.pending, self.number, self.session, self.events = b"", 0, None, []

    def message(self):
        while b"\0" not in self.pending:
            block = self.input.read(1 << 20)
            if not block:
                raise SystemExit("chromium has gone")
            self.pending += block
        one, self.pending = self.pending.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        self.out.write(json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']['message']}")
                return answer.get("result", {})
            self.events.append(answer)

    def wait(self, method):
        while True:
            for event in self.events:
                if event.get("method") == method:
                    return event
            self.events.append(self.message())

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"{expression}: {answer['exceptionDetails']['text']}")
        return answer["result"].get("value")


class Figures(html.parser.HTMLParser):
    """The <data> elements, by the innermost element around them that has data-function or data-trace."""

    void = {"meta", "link", "br", "input", "hr", "img"}

    def __init__(self):
        super().__init__()
        self.stack, self.found, self.open, self.elements, self.svg, self.depth = [], [], None, 0, 0, 0

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.elements += 1
        if tag == "svg":
            self.depth += 1
        if self.depth:
            self.svg += 1
        if tag == "data":
            place = next((s for t, s in reversed(self.stack) if s), None)
            self.open = {"place": place, "key": attributes["data-key"], "value": attributes["value"], "text": ""}
        if tag not in self.void:
            self.stack.append((tag, attributes.get("data-function") or attributes.get("data-trace")))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.void:
            self.handle_endtag(tag)

    def handle_data(self, data):
        if self.open is not None:
            self.open["text"] += data

    def handle_endtag(self, tag):
        if tag == "svg":
            self.depth -= 1
        if tag == "data":
            self.found.append(self.open)
            self.open = None
        while self.stack:
            if self.stack.pop()[0] == tag:
                break


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("--no-script", action="store_true")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--print", action="store_true", dest="on_paper")
    parser.add_argument("--width", type=int, default=1100)
    parser.add_argument("--click")
    parser.add_argument("--evaluate", action="append", default=[])
    parser.add_argument("--screenshot")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Chromium(folder)
        try:
            print(json.dumps(visit(browser, options)))
        finally:
            browser.process.kill()
            browser.process.wait()


def visit(browser, options):
    target = next(t for t in browser.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
    browser.session = browser.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
    for domain in ["Page", "Runtime", "Log", "Network", "DOM"]:
        browser.call(domain + ".enable")
    browser.call("Emulation.setDeviceMetricsOverride", width=options.width, height=900, deviceScaleFactor=1,
                 mobile=False)
    browser.call("Emulation.setEmulatedMedia", media="print" if options.on_paper else "",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if options.dark else "light"}])
    if options.no_script:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
    address = pathlib.Path(options.page).resolve().as_uri()
    browser.events.clear()
    start = time.monotonic()
    browser.call("Page.navigate", url=address)
    browser.wait("Page.loadEventFired")
    seconds = time.monotonic() - start
    result = {"seconds": seconds}
    if options.click:
        # As a mouse does it, not as a script would.
        node = browser.call("DOM.querySelector", nodeId=browser.call("DOM.getDocument")["root"]["nodeId"],
                            selector=options.click)["nodeId"]
        browser.call("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = browser.call("DOM.getContentQuads", nodeId=node)["quads"][0]
        x, y = sum(quad[0::2]) / 4, sum(quad[1::2]) / 4
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
    result["evaluated"] = [browser.evaluate(expression) for expression in options.evaluate]
    if options.screenshot:
        import base64
        size = browser.call("Page.getLayoutMetrics")["cssContentSize"]
        shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True,
                            clip={"x": 0, "y": 0, "width": options.width, "height": min(size["height"], 8000),
                                  "scale": 1})
        pathlib.Path(options.screenshot).write_bytes(base64.b64decode(shot["data"]))
    root = browser.call("DOM.getDocument")["root"]["nodeId"]
    source = browser.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    figures = Figures()
    figures.feed(source)
    result["figures"], result["elements"], result["svgElements"] = figures.found, figures.elements, figures.svg
    # What went wrong, and what the page asked for beside itself.
    result["problems"] = [
        json.dumps(event["params"]) for event in browser.events
        if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")]
    result["requests"] = [
        event["params"]["request"]["url"] for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
        and event["params"]["request"]["url"] not in (address, "data:,")]
    return result


sys.exit(main())
