#!/usr/bin/python3
"""Operations on servers: how they are followed, their ends and results."""

import re

from daemon_testing import main
from operation_testing import DONE, RUNNING, Answer, OperationTestCase

NO_JSON = Answer(200, "{", {"Content-Type": "application/json"})
OTHER = "another server than the backend, and would get its credentials"


class EndTest(OperationTestCase):
    """Each case is an operation of its own, and all of them run at the same time."""

    ARGUMENTS = ("--max-parallel=40",)

    def case(self, name, *polls, options=None, location=None, headers=None, **params):
        """Starts it; followed at /NAME/1 unless that is said."""
        location = location or f"/{name}/1"
        self.peer.on(f"POST /{name}", Answer(202, headers={"Location": location, **(headers or {})}))
        if polls:
            self.peer.on(f"GET {location}", *polls)
        return self.operation(f"/{name}", options=options, **params)

    def test_ends_well(self):
        location = self.case("location", Answer(202), Answer(202, {}, {"Location": "/location/2"}))
        self.peer.on("GET /location/2", Answer(202), Answer(200, {"picture": 7}))
        see_other = self.case("see", RUNNING, Answer(303, headers={"Location": "../pictures/7"}))
        self.peer.on("GET /pictures/7", Answer(503), Answer(200, {"n": 7}))
        moved = self.case("move", Answer(302, headers={"Location": "/moved"}), Answer(307, headers={"Location": "/moved"}))
        self.peer.on("GET /moved", RUNNING, DONE)
        elsewhere = self.case("azure", Answer(200, {"status": "Succeeded", "resourceLocation": "/vm/7"}))
        self.peer.on("GET /vm/7", Answer(200, {"vm": 7}))
        both = self.case("both", headers={"Operation-Location": "/both/state"}, location="/vm/8")
        self.peer.on("GET /both/state", RUNNING, Answer(200, {"status": "succeeded"}))
        self.peer.on("GET /vm/8", Answer(200, {"vm": 8}))
        named = self.case("named", Answer(200, {"a": {"s": "x"}, "n": 1, "m": 4, "status": "failed"}),
                          Answer(200, {"a": {"s": "Good"}, "r": [1, 2], "status": "failed"}), state_field="/a/s",
                          progress_field="/n", total_field="/m", result_field="/r", succeeded_states=["good"])
        doubted = self.case("doubt", RUNNING, *[Answer(200, "garbage")] * 3, RUNNING, *[Answer(200, ["x"])] * 3, DONE)
        late = self.case("late", Answer(404), Answer(404), RUNNING, DONE)
        for task, result in ((location, {"picture": 7}), (see_other, {"n": 7}), (moved, {"answer": 42}),
                             (elsewhere, {"vm": 7}), (both, {"vm": 8}), (named, [1, 2]), (doubted, {"answer": 42}),
                             (late, {"answer": 42})):
            self.assertEnds(task, "succeeded", 0, "^$")
            self.assertEqual(task.take_result(), result)
        self.assertIn(0.25, [s.args[0] for s in named.signals("Progress")])

    def test_results_that_are_not_kept(self):
        large = self.case("large", Answer(200, {"status": "done", "result": "x" * 1000}), options={"result_max": 1000})
        refused = self.case("refused", Answer(200, {"status": "done", "resourceLocation": "/vm/9"}))
        self.peer.on("GET /vm/9", Answer(403, {"error": "not yours"}))
        other = self.case("other", Answer(200, {"status": "done", "resultUrl": "http://127.0.0.1:1/x"}))
        missing = self.case("missing", DONE, result_field="/no")
        for task, message in ((large, r"^its result was not kept: it has 1002 bytes, more than 1000 \(result-max\)$"),
                              (refused, "could not be read from http://.*/vm/9: HTTP 403 Forbidden: not yours$"),
                              (missing, r'^the answer has no result at "/no" \(result_field\)$')):
            self.assertEnds(task, "succeeded", 0, message)
            self.assertFalse(task.get("HasResult"))
        self.assertEnds(other, "succeeded", 0)
        self.assertIn("another server", other.read_log().decode())

    def test_ends_badly(self):
        no_sense = r" \(5 such answers in a row\). It may be running still: http"
        cases = [
            (self.case("circle", Answer(302, headers={"Location": "/circle/1"})), "redirects in a circle" + no_sense),
            (self.case("json", RUNNING, NO_JSON), "is no JSON" + no_sense),
            (self.case("error", RUNNING, Answer(200, {"error": "try later"})), "with an error: try later" + no_sense),
            (self.case("forbidden", RUNNING, Answer(403, {"error": "no"})), "HTTP 403 Forbidden: no" + no_sense),
            (self.case("stateless", Answer(200, {"x": 1}), state_field="/s"), r"no state at \"/s\" \(state_field\)" + no_sense),
            (self.case("unknown", Answer(404)), r"does not know the operation any more \(HTTP 404\)"),
            (self.case("lost", RUNNING, Answer(404)), r"HTTP 404\): how it ended is not known"),
            (self.case("gone", Answer(410)), r"does not know the operation any more \(HTTP 410\)"),
            (self.case("port", location="http://127.0.0.1:1/x?token=1"), "at http://127.0.0.1:1/x, .*" + OTHER),
            (self.case("scheme", location="https://evil.example/"), OTHER),
            (self.case("redirect", Answer(302, headers={"Location": "http://127.0.0.1:1/x"})), OTHER),
            (self.case("why", Answer(200, {"status": "failed", "error": {"code": "E7", "message": "no room"}})), "^E7: no room$"),
            (self.case("whyless", Answer(200, {"status": "crashed"})), '^the server says "crashed", and not why$'),
        ]
        for task, message in cases:
            self.assertEnds(task, "failed", 1, message)
            self.assertFalse(task.get("HasResult"))
        self.assertEqual(len(self.peer.of("GET /json/1")), 6)
        self.assertTrue(any("(answer 4 of 5 that is of no use)" in s for s in self.statuses(cases[1][0])))
        self.assertEqual(len(self.peer.of("GET /lost/1")), 2)

    def test_others(self):
        cancelled = self.case("cancelled", RUNNING, Answer(200, {"status": "canceled", "error": "by the admin"}))
        timeout = self.case("timeout", RUNNING, options={"timeout": 300000})
        self.peer.on("DELETE /timeout/1", lambda r: (self.peer.on("GET /timeout/1", Answer(404)), Answer(204))[1])
        idle = self.case("idle", Answer(200, {"status": "running", "progress": 5}),
                         options={"idle_timeout": 500000, "stop_timeout": 200000})
        self.assertEnds(cancelled, "cancelled", -1, "^it was cancelled on the server: by the admin$")
        self.assertEnds(timeout, "timed-out", -1, "^timeout: it has run for 300ms, the limit is 300ms; cancelled: ")
        self.assertEnds(idle, "timed-out", -1, "^idle-timeout: .*; cancelled here, but it may be running on")


class PollTest(OperationTestCase):
    def test_progress_never_runs_backwards(self):
        def at(percent):
            return Answer(200, {"status": "running", "progress": percent, "phase": "copy"})

        self.begins(at(10), at(40), at(30), at(100))
        task = self.operation()
        self.session.wait_until(lambda: any(s.args[0] == 0.999 for s in task.signals("Progress")), "the last of it")
        self.peer.on("GET /jobs/1", at(20), at(100), DONE)
        self.assertEnds(task, "succeeded", 0)
        fractions = [s.args[0] for s in task.signals("Progress")]
        self.assertEqual(fractions, sorted(fractions))
        self.assertEqual((fractions[-1], task.get("Phase")), (1, "copy"))

    def test_status_and_counts(self):
        self.begins(Answer(200, {"state": "busy", "done": 3, "total": 12, "message": "page 3"}))
        task = self.operation()
        self.session.wait_until(lambda: "busy: page 3" in self.statuses(task), "the status")
        self.assertEqual((task.get("Done"), task.get("Total"), task.get("Progress")), (3, 12, 0.25))
        self.peer.on("GET /jobs/1", Answer(200, {"state": "completed", "message": "12 pages"}))
        self.assertEnds(task, "succeeded", 0, "^12 pages$")
        self.assertIn("busy: page 3", self.lines(task))

    def test_retry_after(self):
        self.begins(Answer(200, {"status": "running"}, {"Retry-After": "1"}), DONE)
        self.assertEnds(self.operation(), "succeeded", 0)
        polls = self.peer.of("GET /jobs/1")
        self.assertGreaterEqual(polls[1].time - polls[0].time, 1)
        self.assertLess(polls[1].time - polls[0].time, 3)

    def test_retry_after_of_the_start(self):
        self.begins(DONE, **{"Retry-After": "1"})
        self.assertEnds(self.operation(), "succeeded", 0)
        self.assertGreaterEqual(self.peer.of("GET /jobs/1")[0].time - self.peer.of("POST /jobs")[0].time, 1)

    def test_a_server_that_goes_and_comes_back(self):
        self.begins(Answer(200, {"status": "running", "progress": 0.3}))
        task = self.operation()
        self.session.wait_until(lambda: task.signals("Progress"), "progress")
        self.peer.stop()
        self.session.wait_until(lambda: any(re.search(r'^No answer from "peer" since \d\d:\d\d:\d\d: ', s)
                                            for s in self.statuses(task)), "the status")
        self.assertEqual(task.get("State"), "running")
        self.peer.on("GET /jobs/1", Answer(503), Answer(drop=True), DONE)
        self.peer.start()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(len(self.peer.of("POST /jobs")), 1)
        self.assertIn("It can be asked for again", self.lines(task))

    def test_log_max(self):
        """What it says is bounded like all else."""
        self.begins(*[Answer(200, {"status": "running", "message": f"{i}" * 500}) for i in range(20)], DONE)
        task = self.operation(options={"log_max": 4096})
        self.assertEnds(task, "succeeded", 0)
        self.assertGreater(task.get("LogSize"), 8000)
        self.assertLess((self.session.state / f"logs/{task.id}.log").stat().st_blocks * 512, 40000)


if __name__ == "__main__":
    main()
