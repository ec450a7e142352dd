#!/usr/bin/python3
"""The log of a task, on its page.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_log.py
"""

import pathlib
import re

from gtk_testing import FILE_CHOOSER, GLib, WindowTestCase, main

# Prints what it is asked for: "N" lines of numbers, or a text.
PRINTER = """
n=0
while read -r what; do
    case $what in
    *[!0-9]*) printf "$what";;
    *) for i in $(seq $what); do echo "line $((n += 1))"; done;;
    esac
done
"""


class LogTestCase(WindowTestCase):
    environment = None

    def show(self, *lines):
        """Opens the page of a task that has printed these."""
        self.task = int(self.session.run("start", "--quiet", "--stdin-open", "--", "bash", "-c", PRINTER).stdout)
        self.window = self.open(environment=self.environment)
        self.window.action("show-task", GLib.Variant("t", self.task))
        self.window.find("label", "Nothing has been printed yet.")
        self.prints(*lines)

    def prints(self, *lines):
        data = "".join(f"{line}\n" for line in lines).encode()
        self.session.task_call(self.task, "WriteStdin", "(ay)", data)

    def text(self):
        found = self.window.look().find_all("text", "Log")
        return found[0].text() if found else ""

    def has(self, pattern):
        """Waits for a text in which that is."""
        self.window.settles(lambda: re.search(pattern, self.text()), f"{pattern} in the log")

    def search(self, text):
        self.window.click("push button", "Search in the Log")
        self.window.find("entry", "Search in the log").set_text(text)

    def menu(self, item):
        self.window.click("push button", "More for the Log")
        self.window.click("menu item", item)


class FollowTest(LogTestCase):
    def test_is_there_as_it_comes(self):
        self.show("first\\n")
        self.has(r"^first\n$")
        self.prints("10%%\\r20%%")
        self.has(r"^first\n20%\n$")
        self.prints("\\r30%%\\nnext \\033[31mred\\033[0m\\n")
        self.has(r"^first\n30%\nnext red\n$")

    def test_the_end_of_a_long_log(self):
        self.show(50000)
        self.has(r"line 50000\n$")
        self.assertNotIn("line 1\n", self.text())

    def test_the_beginning_and_the_end(self):
        self.show(50000)
        self.has(r"line 50000\n$")
        self.menu("Go to Beginning")
        self.has(r"^line 1\nline 2\n")
        self.window.find("label", re.compile("^At 0 % of"))
        self.prints(1)
        self.window.click("push button", "Follow the End")
        self.has(r"line 50001\n$")

    def test_goes_on_without_the_daemon(self):
        self.show("before\\n")
        self.has("before")
        task = self.session.start_task("bash", "-c", "sleep 2; echo meanwhile; sleep 100")
        self.window.action("show-task", GLib.Variant("t", task))
        self.window.find("label", "Nothing has been printed yet.")
        self.session.kill_daemon()
        self.has("^meanwhile\n$")
        self.session.start_daemon()

    def test_a_log_that_is_removed(self):
        task = self.session.start_task("echo", "gone soon")
        self.session.wait(task)
        self.window = self.open()
        self.window.action("show-task", GLib.Variant("t", task))
        self.has("^gone soon\n$")
        self.session.call("RemoveTasks", "(at)", [task])
        self.window.find("label", "The log has been removed.")

    def test_the_menu_knows_how_it_is(self):
        self.show("text\\n")
        self.has("text")
        self.menu("Wrap Lines")
        self.window.gone("menu item", "Wrap Lines")
        self.window.click("push button", "More for the Log")
        self.window.find("menu item", "Wrap Lines", checked=True)
        self.window.find("menu item", "Mark Error Output", checked=False)


class SearchTest(LogTestCase):
    def test_all_of_it(self):
        self.show(50000)
        self.has(r"line 50000\n$")
        self.search("LINE 77")
        self.window.find("label", "1 of 111")
        self.has(r"line 77\n")
        self.window.click("push button", "Next Match")
        self.window.find("label", "2 of 111")
        self.window.click("push button", "Previous Match")
        self.window.find("label", "1 of 111")
        self.window.click("push button", "Previous Match")
        self.window.find("label", "111 of 111")
        self.has(r"line 7799\n")

    def test_nothing_and_too_much(self):
        self.show(5000)
        self.has(r"line 5000\n$")
        self.search("no such text")
        self.window.find("label", "No matches")
        self.window.find("entry", "Search in the log").set_text("line")
        self.window.find("label", re.compile(r"1000"))

    def test_what_comes_is_counted(self):
        self.show(3)
        self.has(r"line 3\n$")
        self.search("line")
        self.window.find("label", "1 of 3")
        self.prints(4)
        self.window.find("label", "1 of 7")


class SaveTest(LogTestCase):
    environment = FILE_CHOOSER

    def test_a_copy(self):
        self.show("one \\033[31mred\\033[0m\\n")
        self.has("one red")
        path = pathlib.Path(self.session.env["HOME"]) / "copy.log"
        self.menu("Save As…")
        entry = self.window.settles(lambda: [node for node in self.window.look().find_all("text")
                                             if node.text() == f"{self.task}.log"], "the name of the file")[0]
        entry.set_text(str(path))
        self.window.click("push button", "Save")
        self.window.settles(lambda: path.exists() and path.read_bytes() == b"one \033[31mred\033[0m\n", "the copy")


if __name__ == "__main__":
    main()
