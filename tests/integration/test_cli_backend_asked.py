#!/usr/bin/python3
"""longrun backend, chat, download, operation: what comes to the daemon of a call, and what is made of its answers.

    LONGRUND=PATH LONGRUN=PATH test_cli_backend_asked.py
"""

import json
import os
import subprocess

from cli_testing import FakeCase, started
from fake_daemon import MESSENGER, finish, run
from longrun_testing import NAME, ROOT, GLib, main, variant

MINUTE = 60_000_000
ERROR = f"{NAME}.Error"


def backend(name, **more):
    """Properties of a backend that is online."""
    return {"Name": variant("s", name), "Url": variant("s", f"http://{name}.example"), "Type": variant("s", "json"),
            "State": variant("s", "online"), "Reason": variant("s", ""), "Polling": variant("b", True),
            "StatusInterval": variant("t", 10_000_000), "PollInterval": variant("t", 100_000),
            "LastUpdate": variant("t", 1_800_000_000_000_000), "LastError": variant("s", ""),
            "Latency": variant("t", 12_000), "Settings": variant("a{sv}", {}), **more}


def messenger(peer="", **more):
    return backend("home", Type=variant("s", "messenger"), CurrentPeer=variant("s", peer), **more)


def message(number, content="", **more):
    return {"id": variant("s", f"m{number}"), "peer": variant("s", "bob"), "direction": variant("s", "received"),
            "content": variant("s", content or f"text {number}"), "timestamp": variant("t", number * 1_000_000),
            "delivered": variant("b", True), "stored-offline": variant("b", False), **more}


def messages(*numbers):
    return GLib.Variant("(aa{sv})", ([message(number) for number in numbers],))


def names(*all_of_them):
    return lambda: GLib.Variant("(a(so))", ([(name, f"{ROOT}/backend/{name}") for name in all_of_them],))


class Add(FakeCase):
    def setUp(self):
        super().setUp()
        self.fake = self.daemon(answers={"AddBackend": lambda name, _: GLib.Variant("(o)", (f"{ROOT}/backend/{name}",))})

    def settings(self, *words):
        self.assertEqual(self.ok("backend", "add", "home", "http://localhost:8080", *words), "Added backend home\n")
        name, settings = self.fake.asked("AddBackend")[-1]
        self.assertEqual((name, settings.pop("url")), ("home", "http://localhost:8080"))
        return settings

    def test_settings(self):
        work = str(self.session.directory / "work")
        for words, expected in [
            ([], {}),
            (["--type", "messenger"], {"type": "messenger"}),
            (["--status-path", "/health", "--status-interval", "1min"],
             {"status-path": "/health", "status-interval": MINUTE}),
            (["--no-polling"], {"polling": False}),
            (["--set", "polling=yes"], {"polling": True}),
            (["--poll-path", "/x?a=b", "--poll-interval", "500ms", "--timeout", "1.5s"],
             {"poll-path": "/x?a=b", "poll-interval": 500_000, "timeout": 1_500_000}),
            (["--set", "response-max=64K", "--set", "connect-timeout=250ms", "--set", "backoff-max=5min"],
             {"response-max": 65536, "connect-timeout": 250_000, "backoff-max": 5 * MINUTE}),
            (["--failure-threshold", "3", "--set", "success-threshold=2"],
             {"failure-threshold": 3, "success-threshold": 2}),
            (["-e", '/a == "b"', "--set", "expect=/c == 1"], {"expect": ['/a == "b"', "/c == 1"]}),
            # The last one counts.
            (["--status-path", "/a", "--set", "status-path=/b"], {"status-path": "/b"}),
            (["--set", "status-path=/b", "--status-path", "/a"], {"status-path": "/a"}),
            # Files are named as seen from here; what has no slash may be the name of a credential.
            (["--ca-file", "ca.pem", "--credential", "token"], {"ca-file": f"{work}/ca.pem", "credential": "token"}),
            (["--set", "credential=./token", "--auth", "bearer"], {"credential": f"{work}/./token", "auth": "bearer"}),
            (["--client-cert", "/c.pem", "--client-key", "k.pem"],
             {"client-cert": "/c.pem", "client-key": f"{work}/k.pem"}),
        ]:
            with self.subTest(words):
                self.assertEqual(self.settings(*words), expected)
        self.assertEqual(self.json("backend", "add", "--json", "home", "http://h"), {"name": "home"})

    def test_usage(self):
        for words, text in [
            (["--set", "x=1"], 'there is no setting "x"'),
            (["--set", "url=http://h"], 'there is no setting "url"'),
            (["--set", "timeout"], "--set wants NAME=VALUE"),
            (["--timeout", "soon"], "timeout wants a time"),
            (["--set", "response-max=many"], "response-max wants a size"),
            (["--failure-threshold", "-1"], "failure-threshold wants a number"),
            (["--set", "polling=perhaps"], "polling wants yes or no"),
        ]:
            with self.subTest(words):
                self.fails(2, text, "backend", "add", "home", "http://h", *words)
        self.fails(2, "something is missing", "backend", "add", "home")
        self.assertEqual(self.fake.asked("AddBackend"), [])

    def test_refused(self):
        self.fake.errors = {"AddBackend": (f"{ERROR}.InvalidOption", "There is a backend \"home\" in home.conf")}
        self.fails(1, 'There is a backend "home" in home.conf', "backend", "add", "home", "http://h")


class Show(FakeCase):
    def test_list(self):
        lost = backend("lost", State=variant("s", "unknown"), Reason=variant("s", "this machine is offline"),
                       LastUpdate=variant("t", 0), Polling=variant("b", False))
        self.daemon(backends={"home": backend("home"), "gone": None, "lost": lost},
                    answers={"ListBackends": names("home", "gone", "lost")})
        lines = self.ok("backend").splitlines()
        self.assertRegex(lines[0], "^BACKEND +STATE +POLLING +LATENCY +LAST ANSWER +URL +REASON$")
        # One that is removed while they are asked is left out.
        self.assertEqual([line.split()[:4] for line in lines[1:]],
                         [["home", "online", "yes", "12ms"], ["lost", "unknown", "no", "-"]])
        self.assertIn("this machine is offline", lines[2])
        listed = self.json("backend", "list", "--json")
        self.assertEqual([(one["name"], one["state"], one["latency"]) for one in listed],
                         [("home", "online", 12_000), ("lost", "unknown", 12_000)])

    def test_none(self):
        self.daemon(answers={"ListBackends": names()})
        self.assertIn("longrun backend add", self.ok("backend"))
        self.assertEqual(self.json("backend", "list", "--json"), [])

    def test_many(self):
        many = [f"b{n:03}" for n in range(200)]
        self.daemon(backends={name: backend(name) for name in many}, answers={"ListBackends": names(*many)})
        self.assertEqual([line.split()[0] for line in self.ok("backend", "list").splitlines()[1:]], many)

    def test_show(self):
        settings = variant("a{sv}", {"timeout": variant("t", 5_000_000), "response-max": variant("t", 8 << 20),
                                     "expect": variant("as", ["/a == 1", "/b == 2"]), "ca-file": variant("s", ""),
                                     "failure-threshold": variant("u", 3)})
        self.daemon(backends={"home": messenger("bob", Settings=settings, Origin=variant("s", "/etc/home.conf"),
                                                Status=variant("s", '{"status":"online\\u001b[31m"}'),
                                                LastError=variant("s", "HTTP 503\x1b[31m"))})
        text = self.ok("backend", "show", "home")
        for line in ("Backend: home", "State: online", "Type: messenger", "Checks: every 10.0s", "Polls: every 100ms",
                     "Settings: timeout 5.0s, response-max 8.0M, failure-threshold 3, expect /a == 1 and /b == 2",
                     "From: /etc/home.conf", "Peer: bob", "Last error: HTTP 503"):
            self.assertRegex(text, rf"(?m)^ *{line}$")
        self.assertNotIn("\x1b", text)
        shown = self.json("backend", "show", "--json", "home")
        self.assertEqual((shown["current-peer"], shown["settings"]["expect"]), ("bob", ["/a == 1", "/b == 2"]))

    def test_none_of_that_name(self):
        fake = self.daemon(backends={"home": backend("home"), "hom": None})
        for words in (["show"], ["check"], ["poll"], ["start"], ["stop"]):
            self.fails(1, 'there is no backend "hom"; "longrun backend list"', "backend", *words, "hom")
        self.fails(1, 'there is no backend "hom"', "backend", "request", "hom", "GET", "/")
        self.fails(1, 'backend "home" is no messenger', "chat", "home")
        self.fails(1, "is not UTF-8", "backend", "show", b"\xff")
        self.assertEqual(set(fake.on), {"hom"})


class Check(FakeCase):
    def test_reasons(self):
        backends = {
            "up": backend("up"),
            "down": backend("down", State=variant("s", "offline"), Reason=variant("s", "connection refused")),
            "lost": backend("lost", State=variant("s", "unknown"), Reason=variant("s", "no route\x1b[2J")),
            # One bad answer is not enough for this one to be offline.
            "nowhere": None,
            "slow": backend("slow", LastError=variant("s", "no answer within 5 s")),
        }
        fake = self.daemon(backends=backends)
        fake.answers = {"CheckStatus": lambda: GLib.Variant("(b)", (fake.on[-1] == "up",))}
        self.assertEqual(self.ok("backend", "check", "up"), "up: online (12ms)\n")
        out, err, code = run(self.session, "backend", "check", "up", "down", "lost", "slow", "up")
        self.assertEqual((out.splitlines(), err, code),
                         (["up: online (12ms)", "down: offline: connection refused", "lost: unknown: no route",
                           "slow: offline: no answer within 5 s"], "", 1))
        out, _, code = run(self.session, "backend", "check", "--json", "down", "up")
        self.assertEqual(([(one["name"], one["online"], one["state"], one["reason"]) for one in json.loads(out)], code),
                         ([("down", False, "offline", "connection refused"), ("up", True, "online", "")], 1))
        # What there is is said, though one is missing.
        out, err, code = run(self.session, "backend", "check", "nowhere", "up")
        self.assertEqual((out, code), ("up: online (12ms)\n", 1))
        self.assertIn('there is no backend "nowhere"', err)

    def test_together(self):
        """All of them are asked before the first has answered."""
        fake = self.daemon(backends={name: backend(name) for name in "abc"}, silent=["CheckStatus"])
        process = self.session.popen("backend", "check", "a", "b", "c", stdout=subprocess.PIPE)
        fake.until_asked("CheckStatus", 3)
        process.kill()
        finish(self.session, process)


class Request(FakeCase):
    def request(self, status, body, *words, **kwargs):
        self.fake = self.daemon(backends={"home": backend("home")},
                                answers={"Request": lambda *_: GLib.Variant("(us)", (status, body))})
        try:
            return run(self.session, "backend", "request", "home", *words, **kwargs)
        finally:
            self.fake.gone()

    def test_answers(self):
        for status, code in ((200, 0), (204, 0), (299, 0), (199, 1), (301, 1), (404, 1), (500, 1)):
            self.assertEqual(self.request(status, '{"a": 1}\n', "GET", "/x"),
                             ('{"a": 1}\n', f"HTTP {status}\n", code))
        self.assertEqual(self.request(500, "x", "-q", "GET", "/x"), ("x", "", 1))
        out, err, code = self.request(404, '{"error": "no"}', "--json", "get", "/x")
        self.assertEqual((json.loads(out), err, code), ({"status": 404, "body": '{"error": "no"}'}, "", 1))
        self.assertEqual(self.fake.asked("Request"), [("GET", "/x", "")])

    def test_bodies(self):
        (self.session.directory / "work" / "body").write_text("of the file\n", encoding="utf-8")
        for words, stdin, sent in [(['{"a": 1}'], "", '{"a": 1}'), (["-"], "from stdin", "from stdin"),
                                   (["@body"], "", "of the file\n"), (["@-"], "again", "again"), ([], "unread", "")]:
            with self.subTest(words), open(self.session.directory / "stdin", "w+", encoding="utf-8") as file:
                file.write(stdin)
                file.seek(0)
                self.request(200, "", "post", "/x", *words, stdin=file)
                self.assertEqual(self.fake.asked("Request"), [("POST", "/x", sent)])

    def test_bad_bodies(self):
        for data, text in [(b"\xff", "not UTF-8"), (b"a\0b", "not UTF-8"), (b"x" * (8 << 20) + b"x", "at most 8M")]:
            (self.session.directory / "work" / "body").write_bytes(data)
            out, err, code = self.request(200, "", "POST", "/x", "@body")
            self.assertEqual((out, code, self.fake.asked("Request")), ("", 1, []))
            self.assertIn(text, err)
        self.assertIn("cannot open nowhere", self.request(200, "", "POST", "/x", "@nowhere")[1])


class Watch(FakeCase):
    def watch(self, *words):
        process = self.session.popen("backend", "watch", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def lines(self, process, n):
        return [process.stdout.readline().rstrip("\n").split(" ", 1)[1] for _ in range(n)]

    def test_lines(self):
        fake = self.daemon(backends={"home": backend("home"), "other": backend("other")},
                           answers={"ListBackends": names("home", "other")})
        process = self.watch("home")
        fake.until_asked("GetAll")
        self.assertEqual(self.lines(process, 1), ["home state: online"])
        fake.emit("other", "BackendOnline", "(b)", False)
        fake.emit("home", "BackendOnline", "(b)", True)
        fake.emit("home", "StatusUpdated", "(s)", '{\n "a": 12345678901234567890 }')
        fake.emit("home", "Updated", "(ss)", "/x", '{"b": "\\u001b[31m"}')
        fake.emit("home", "Error", "(s)", "bad \x1b[31m\nnews")
        fake.emit(None, "BackendRemoved", "(so)", "home", f"{ROOT}/backend/home")
        self.assertEqual(self.lines(process, 5),
                         ["home check: online", 'home status: { "a": 12345678901234567890 }',
                          'home updated: /x {"b": "\\u001b[31m"}', "home error: bad news", "home removed"])

    def test_json(self):
        fake = self.daemon(backends={"home": backend("home")}, answers={"ListBackends": names("home")})
        process = self.watch("--json", "all")
        fake.until_asked("GetAll")
        json.loads(process.stdout.readline())
        fake.emit("home", "StatusUpdated", "(s)", '{\n "a": 12345678901234567890 }')
        fake.emit("home", "Updated", "(ss)", "/x", "no JSON\n")
        fake.emit("home", "Updated", "(ss)", "/x", '"a\nb"')
        line = process.stdout.readline()
        self.assertIn('"status":{"a":12345678901234567890}', line)
        data = [json.loads(process.stdout.readline())["data"] for _ in range(2)]
        self.assertEqual(data, ["no JSON\n", "a\nb"])

    def test_unknown(self):
        self.daemon(answers={"ListBackends": names("home")}, backends={"home": backend("home")})
        self.fails(1, 'there is no backend "hom"', "backend", "watch", "home", "hom")


class Chat(FakeCase):
    def chat(self, **kwargs):
        answers = kwargs.pop("answers", {})
        return self.daemon(backends={"home": messenger(**kwargs)}, answers=answers)

    def test_friends(self):
        friends = [{"username": variant("s", "bob\x1b[31m\n"), "online": variant("b", True), "last-seen": variant("t", 0)},
                   {"username": variant("s", "eve"), "online": variant("b", False),
                    "last-seen": variant("t", 1_800_000_000_000_000)}]
        self.chat(answers={"LoadFriends": lambda: GLib.Variant("(aa{sv})", (friends,))})
        for words in ([], ["friends"]):
            lines = self.ok("chat", "home", *words, env={"TZ": "UTC"}).splitlines()
            self.assertEqual([line.split() for line in lines[1:]],
                             [["bob⏎", "online", "-"], ["eve", "offline", "2027-01-15T08:00:00+00:00"]])
        self.assertEqual([one["username"] for one in self.json("chat", "home", "--json")], ["bob\x1b[31m\n", "eve"])

    def test_read(self):
        said = [message(1, "hi\nthere\x1b[2J"), message(2, "<b>", direction=variant("s", "sent"))]
        fake = self.chat(answers={"LoadMessages": lambda *_: GLib.Variant("(aa{sv})", (said,))})
        self.assertEqual(self.ok("chat", "home", "read", "bob", env={"TZ": "Asia/Tokyo"}),
                         "1970-01-01T09:00:01+09:00 received bob: hi⏎there\n1970-01-01T09:00:02+09:00 sent bob: <b>\n")
        self.assertEqual([one["content"] for one in self.json("chat", "home", "read", "bob", "--json")],
                         ["hi\nthere\x1b[2J", "<b>"])
        self.ok("chat", "home", "read", "bob", "-n", "7")
        self.assertEqual([options for _, options in fake.asked("LoadMessages")], [{}, {}, {"limit": 7}])

    def test_send(self):
        fates = iter([(True, False), (False, True), (False, False)])

        def answer(to, content):
            delivered, stored = next(fates)
            return GLib.Variant("(a{sv})", (message(1, content, direction=variant("s", "sent"), peer=variant("s", to),
                                                    delivered=variant("b", delivered),
                                                    **{"stored-offline": variant("b", stored)}),))
        fake = self.chat(answers={"SendMessage": answer})
        self.assertEqual(self.ok("chat", "home", "send", "bob", "good", "day  to you"), "Sent to bob\n")
        self.assertEqual(self.ok("chat", "home", "send", "bob", "--", "-1"),
                         "Sent; it waits at the server until bob is online\n")
        self.assertFalse(self.json("chat", "home", "send", "--json", "bob", "three")["delivered"])
        self.assertEqual([text for _, text in fake.asked("SendMessage")], ["good day  to you", "-1", "three"])

    def send_lines(self, data, fails_at=None, *words):
        def answer(to, content):
            if content == fails_at:
                return (f"{ERROR}.BackendOffline", "Failed to send message: connection refused")
            return GLib.Variant("(a{sv})", (message(1, content),))
        fake = self.chat(answers={"SendMessage": answer})
        with open(self.session.directory / "stdin", "wb+") as file:
            file.write(data)
            file.seek(0)
            result = run(self.session, "chat", "home", "send", "bob", "-", *words, stdin=file)
        fake.gone()
        return *result, [text for _, text in fake.asked("SendMessage")]

    def test_send_lines(self):
        self.assertEqual(self.send_lines(b"one\ntwo words\r\n\n  \nlast"),
                         ("Sent to bob: 3\n", "", 0, ["one", "two words", "last"]))
        self.assertEqual(self.send_lines(b""), ("Sent to bob: 0\n", "", 0, []))
        out, err, code, sent = self.send_lines(b"a\n\nb\nc\nd\n", "c")
        self.assertEqual((out, code, sent), ("", 1, ["a", "b", "c"]))
        self.assertEqual(err, "longrun: Failed to send message: connection refused\n"
                              "longrun: stopped at line 4; messages sent before it: 2\n")
        out, _, code, _ = self.send_lines(b"a\nb\n", None, "--json")
        self.assertEqual(([json.loads(line)["content"] for line in out.splitlines()], code), (["a", "b"], 0))
        for data, text in ((b"a\n\xff\n", "not UTF-8"), (b"a\nb\0\n", "line 2 is no text"),
                           (b"a\n" + (1 << 20) * b"x" + b"x\n", "line 2 has more than 1M")):
            _, err, code, sent = self.send_lines(data)
            self.assertEqual((code, sent), (1, ["a"]))
            self.assertIn(text, err)
            self.assertIn("stopped at line 2; messages sent before it: 1", err)

    def test_others(self):
        fake = self.chat(answers={"AddFriend": lambda name: GLib.Variant("(a{sv})", ({"username": variant("s", name)},)),
                                  "RemoveFriend": lambda _: None, "DeleteMessage": lambda _: None})
        self.assertEqual(self.ok("chat", "home", "add", "bob"), "Added bob\n")
        self.assertEqual(self.ok("chat", "home", "remove", "bob"), "Removed bob\n")
        self.assertEqual(self.ok("chat", "home", "delete", "m1"), "Deleted message m1\n")
        self.assertEqual(self.json("chat", "home", "delete", "m1", "-j"), {"id": "m1"})
        self.assertEqual([fake.asked(name) for name in ("AddFriend", "RemoveFriend", "DeleteMessage")],
                         [[("bob",)], [("bob",)], [("m1",), ("m1",)]])
        fake.errors = {"AddFriend": (f"{ERROR}.BackendFailed", "Failed to add friend: no such user")}
        self.fails(1, "Failed to add friend: no such user", "chat", "home", "add", "bob")

    def test_usage(self):
        self.chat()
        for words, text in [([], "something is missing"), (["home", "sing"], 'there is no "sing"'),
                            (["home", "read"], "chat BACKEND read PEER"), (["home", "send", "bob"], "PEER TEXT"),
                            (["home", "friends", "x"], "too many"), (["home", "-n", "3"], "--lines goes with read"),
                            (["home", "add", "x", "-f"], "--follow goes with read"),
                            (["home", "read", "x", "-n", "0"], "--lines 0"),
                            (["home", "read", "x", "-n", "1001"], "at most 1000"),
                            (["home", "read", "x", "-n", "few"], "wants a number")]:
            with self.subTest(words):
                self.fails(2, text, "chat", *words)

    def follow(self, *words):
        process = self.session.popen("chat", "home", "read", "bob", "-f", *words, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def loaded(self, fake, *numbers, peer="bob"):
        fake.emit("home", "MessagesLoaded", "(saa{sv})", peer, [message(number) for number in numbers],
                  interface=MESSENGER)

    def texts(self, process, n):
        return [process.stdout.readline().rstrip("\n").split(": ", 1)[1] for _ in range(n)]

    def test_follow(self):
        fake = self.chat(peer="bob", answers={"LoadMessages": lambda *_: messages(1, 2)})
        process = self.follow("-n", "2")
        fake.until_asked("LoadMessages", 2)
        self.assertEqual(self.texts(process, 2), ["text 1", "text 2"])
        self.loaded(fake, 8, peer="eve")
        self.loaded(fake, 0, 1, 2, 3)
        self.loaded(fake, 1, 2, 3, 4, 5)
        self.assertEqual(self.texts(process, 3), ["text 3", "text 4", "text 5"])
        # The daemon polls: nobody else asks.
        self.assertEqual(len(fake.asked("LoadMessages")), 2)

    def test_follow_json(self):
        fake = self.chat(peer="bob", answers={"LoadMessages": lambda *_: messages(1, 2)})
        process = self.follow("-n", "0", "--json")
        fake.until_asked("LoadMessages", 2)
        self.loaded(fake, 1, 2, 3)
        self.assertEqual(json.loads(process.stdout.readline())["id"], "m3")

    def test_follow_another_peer(self):
        """Somebody else reads another one's messages, or nothing is polled: then it asks itself."""
        for properties in ({"peer": "eve"}, {"peer": "bob", "Polling": variant("b", False)}):
            lists = iter([messages(1), messages(1), messages(1), messages(1, 2)])
            fake = self.chat(answers={"LoadMessages": lambda *_: next(lists, messages(1, 2, 3))}, **properties)
            process = self.follow()
            fake.until_asked("LoadMessages", 5)
            self.assertEqual(self.texts(process, 3), ["text 1", "text 2", "text 3"])
            fake.gone()
            process.kill()

    def test_follow_errors(self):
        """Those that pass are said once, and it goes on."""
        offline = (f"{ERROR}.BackendOffline", "Failed to load messages: connection refused")
        answers = iter([messages(1), messages(1), offline, offline, offline])
        fake = self.chat(peer="eve", answers={"LoadMessages": lambda *_: next(answers, messages(1, 2))})
        process = self.follow()
        fake.until_asked("LoadMessages", 6)
        self.assertEqual(self.texts(process, 2), ["text 1", "text 2"])
        fake.errors = {"LoadMessages": (f"{ERROR}.NoSuchBackend", "There is no backend")}
        _, err, code = finish(self.session, process)
        self.assertEqual((err.splitlines(), code), (["longrun: " + offline[1],
                                                     'longrun: there is no messenger "home" any more'], 1))


class Tasks(FakeCase):
    def setUp(self):
        super().setUp()
        self.fake = self.daemon(answers={"Start": started})

    def started(self, *words):
        self.assertRegex(self.ok(*words), "^Started task 7: ")
        kind, options = self.fake.asked("Start")[-1]
        self.assertEqual(options.pop("umask", None), 0o22 if kind == "download" else None)
        return kind, json.loads(options.pop("params")), options

    def test_download(self):
        work = str(self.session.directory / "work")
        (self.session.directory / "work" / "folder").mkdir()
        url, other = "http://h/a/file.iso?x=1#y", "https://mirror/file.iso"
        for words, params, options in [
            ([url], {"urls": [url], "path": work}, {"label": "file.iso"}),
            ([url, other, "-o", "here.iso"], {"urls": [url, other], "path": f"{work}/here.iso"}, {"label": "here.iso"}),
            ([url, "-o", "folder"], {"urls": [url], "path": f"{work}/folder"}, {"label": "file.iso"}),
            ([url, "-o", "new/"], {"urls": [url], "path": f"{work}/new/"}, {"label": "file.iso"}),
            (["http://h/", "-o", "/x"], {"urls": ["http://h/"], "path": "/x"}, {"label": "x"}),
            ([url, "--sha256", "ab", "--size", "1.5K", "--overwrite", "-l", "mine"],
             {"urls": [url], "path": work, "sha256": "ab", "size": 1536, "overwrite": True}, {"label": "mine"}),
            ([url, "-H", "Accept: text/plain", "-H", "X-A:b", "--ca-file", "ca.pem", "--auth", "basic",
              "--credential", "secret", "-p", "give_up_after_ms=5000"],
             {"urls": [url], "path": work, "headers": {"Accept": "text/plain", "X-A": "b"}, "ca_file": f"{work}/ca.pem",
              "auth": "basic", "credential": f"{work}/secret", "give_up_after_ms": 5000}, {"label": "file.iso"}),
            ([url, "--retries", "3", "--group", "net", "--timeout", "1h", "--after", "3"],
             {"urls": [url], "path": work},
             {"label": "file.iso", "retries": 3, "group": "net", "timeout": 60 * MINUTE, "after": [3]}),
        ]:
            with self.subTest(words):
                self.fake.tasks = {7: {"State": variant("s", "queued")}}
                if "--after" in words:
                    words = [*words, "--quiet"]
                    self.assertEqual(self.ok("download", *words), "7\n")
                    kind, given = self.fake.asked("Start")[-1]
                    del given["umask"]
                    self.assertEqual((kind, json.loads(given.pop("params")), given), ("download", params, options))
                else:
                    self.assertEqual(self.started("download", *words), ("download", params, options))
        self.assertEqual(self.json("download", "--json", url)["id"], 7)

    def test_download_usage(self):
        for words, text in [(["http://h"], "--output FILE"), (["http://h/a/"], "--output FILE"), (["x"], "is no URL"),
                            (["http://h/a", "--size", "big"], "--size wants bytes"), ([], "something is missing"),
                            (["http://h/a", "-o", ""], "wants a path"), (["http://h/a", "-H", "x"], "--header wants"),
                            (["http://h/a", "--json", "-f"], "--json does not go together")]:
            with self.subTest(words):
                self.fails(2, text, "download", *words)
        self.assertEqual(self.fake.asked("Start"), [])

    def test_operation(self):
        (self.session.directory / "work" / "body").write_text('{"from": "file"}', encoding="utf-8")
        for words, params in [
            (["/jobs"], {}),
            (["/jobs", '{"n": 12345678901234567890}'], {"body": {"n": 12345678901234567890}}),
            (["/jobs", '"text"'], {"body": "text"}),
            (["/jobs", "@body"], {"body": {"from": "file"}}),
            (["/jobs", "--body-file", "body", "--method", "put"], {"body": {"from": "file"}, "method": "PUT"}),
            (["/jobs", "-H", "X-A: b c", "-p", "state_field=/job/state", "-p", "poll_interval_ms=500"],
             {"headers": {"X-A": "b c"}, "state_field": "/job/state", "poll_interval_ms": 500}),
        ]:
            with self.subTest(words):
                self.assertEqual(self.started("operation", "home", *words),
                                 ("http-operation", {"backend": "home", "path": "/jobs"} | params, {"label": "home/jobs"}))

    def test_operation_usage(self):
        for words, text in [(["home"], "something is missing"), (["home", "/x", "no JSON"], "the body must be JSON"),
                            (["home", "/x", "{}", "--body-file", "f"], "does not go together"),
                            (["home", "/x", "-p", "x"], "--param wants")]:
            with self.subTest(words):
                self.fails(2, text, "operation", *words)
        self.fails(1, "cannot open nowhere", "operation", "home", "/x", "--body-file", "nowhere")
        self.assertEqual(self.fake.asked("Start"), [])


if __name__ == "__main__":
    os.umask(0o22)
    main()
