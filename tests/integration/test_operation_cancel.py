#!/usr/bin/python3
"""Operations on servers that are cancelled: the end says what the server said."""

import threading

from daemon_testing import main
from operation_testing import DONE, RUNNING, Answer, OperationTestCase


class CancelTest(OperationTestCase):
    def running(self, *polls, **params):
        self.begins(*(polls or [RUNNING]))
        task = self.operation(**params)
        self.session.wait_until(lambda: "running" in self.statuses(task), "it to run")
        return task

    def test_accepted(self):
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on(
            "GET /jobs/1", RUNNING, Answer(200, {"status": "cancelling"}), Answer(200, {"status": "cancelled"})), Answer(202))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled$")
        self.assertIn("The server has taken the cancel (HTTP 202)", self.lines(task))
        self.assertEqual(len(self.peer.of("DELETE /jobs/1")), 1)

    def test_gone_after_it(self):
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(410)), Answer(204))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, r"^cancelled: the server does not know it any more; it was asked to cancel it \(HTTP 204\)$")

    def test_configured(self):
        self.peer.on("POST /jobs/1:cancel", lambda r: (self.peer.on("GET /jobs/1", Answer(200, {"status": "aborted"})), Answer(200, {}))[1])
        task = self.running(cancel_path=":cancel", cancel_body={"why": "enough"})
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled$")
        self.assertEqual(self.peer.of("POST /jobs/1:cancel")[0].body, b'{"why": "enough"}')

    def test_too_late(self):
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", DONE), Answer(409, {"error": "it has ended"}))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "succeeded", 0, "^the cancel came too late$")
        self.assertEqual(task.take_result(), {"answer": 42})

    def test_refused(self):
        self.peer.on("DELETE /jobs/1", Answer(405, {"error": "not here"}))
        task = self.running(options={"stop_timeout": 400000})
        task.cancel()
        self.session.wait_until(lambda: any("refuses to cancel it (HTTP 405 Method Not Allowed: not here)" in s
                                            for s in self.statuses(task)), "the status")
        self.assertEqual((task.get("State"), task.get("Reason")),
                         ("cancelling", "the server refuses to cancel it (HTTP 405 Method Not Allowed: not here)"))
        self.assertEnds(task, "cancelled", -1, r"^cancelled here, but it may be running on: the server refuses to cancel it "
                                               r"\(HTTP 405 Method Not Allowed: not here\). It is at http://.*/jobs/1$")

    def test_not_confirmed(self):
        self.peer.on("DELETE /jobs/1", Answer(200, {"status": "success"}))
        task = self.running(options={"stop_timeout": 400000})
        task.cancel()
        self.assertEnds(task, "cancelled", -1, r"^cancelled here, but not there as far as is known: the server was asked to cancel "
                                               r"it \(HTTP 200\), and after 400ms it says \"running\". It is at http://")

    def test_no_such_route(self):
        self.peer.on("DELETE /jobs/1", Answer(404))
        task = self.running(options={"stop_timeout": 400000})
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "refuses to cancel it .HTTP 404 Not Found")

    def test_asked_again_when_it_is_busy(self):
        self.peer.on("DELETE /jobs/1", Answer(503), Answer(drop=True), lambda r: (
            self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled")
        self.assertEqual(len(self.peer.of("DELETE /jobs/1")), 3)

    def test_server_gone(self):
        task = self.running(options={"stop_timeout": 400000})
        self.peer.stop()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "it may be running on: the server could not be asked to cancel it .*refused")
        self.peer.start()

    def test_before_the_start_is_answered(self):
        """The answer is waited for: it says what is to be cancelled."""
        hold = threading.Event()
        self.begins(RUNNING)
        self.peer.on("POST /jobs", Answer(202, headers={"Location": "/jobs/1"}, hold=hold))
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        task = self.operation()
        self.peer.wait("POST /jobs")
        task.cancel()
        self.session.wait_until(lambda: any("as soon as the server has answered" in s for s in self.statuses(task)), "it")
        hold.set()
        self.assertEnds(task, "cancelled", -1, "^cancelled: the server does not know it any more")

    def test_a_start_that_is_never_answered(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.peer.on("POST /jobs", Answer(202, hold=hold))
        task = self.operation(options={"stop_timeout": 300000})
        key = self.peer.wait("POST /jobs")[0].key
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled, but the server never answered the start: it may be running there "
                                               rf"\(Idempotency-Key {key}\)$")

    def test_between_two_tries(self):
        self.peer.on("POST /jobs", Answer(503, headers={"Retry-After": "60"}))
        task = self.operation()
        self.session.wait_until(lambda: any("try 1 of 10" in s for s in self.statuses(task)), "the status")
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled before it was started$")


if __name__ == "__main__":
    main()
