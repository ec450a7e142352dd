#!/usr/bin/python3
"""Another user on the same bus is refused, by name, and finds out nothing. Runs as root alone, which can be both.

    LONGRUND=PATH test_permission.py
"""

import os
import subprocess
import sys
import textwrap

from daemon_testing import DaemonTestCase, main
from longrun_testing import NAME, SKIP

NOBODY = 65534

# Calls as another user: prints the name of each error, or "ok".
CLIENT = textwrap.dedent("""\
    import os, sys
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})
    from gi.repository import Gio, GLib
    bus = Gio.DBusConnection.new_for_address_sync(
        sys.argv[1], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
        None, None)
    root, task = "/org/longrun/Longrun1", "/org/longrun/Longrun1/task/" + sys.argv[2]
    manager, properties = "{name}.Manager", "org.freedesktop.DBus.Properties"
    number = int(sys.argv[2])
    calls = [
        (root, manager, "Start", GLib.Variant("(sa{{sv}})", ("noop", {{}}))),
        (root, manager, "StartCommand", GLib.Variant("(asa{{sv}})", (["touch", sys.argv[3]], {{}}))),
        (root, manager, "Cancel", GLib.Variant("(at)", ([number],))),
        (root, manager, "CancelAll", GLib.Variant("(a{{sv}})", ({{}},))),
        (root, manager, "ListTasks", GLib.Variant("(a{{sv}})", ({{}},))),
        (root, manager, "Wait", GLib.Variant("(at)", ([number],))),
        (root, manager, "Reload", None),
        (root, properties, "Get", GLib.Variant("(ss)", (manager, "Running"))),
        (root, properties, "Set", GLib.Variant("(ssv)", (manager, "MaxParallel", GLib.Variant("u", 1)))),
        (root, "org.freedesktop.DBus.Introspectable", "Introspect", None),
        (task, "{name}.Task", "Cancel", None),
        (task, "{name}.Task", "Kill", GLib.Variant("(i)", (9,))),
        (task, "{name}.Task", "OpenLog", None),
        (task, "{name}.Task", "OpenLogIndex", None),
        (task, "{name}.Task", "ReadLog", GLib.Variant("(tu)", (0, 100))),
        (task, "{name}.Task", "TakeResult", None),
        (task, properties, "GetAll", GLib.Variant("(s)", ("{name}.Task",))),
        (task + "999", "{name}.Task", "Cancel", None),
    ]
    for path, interface, method, arguments in calls:
        try:
            bus.call_sync("{name}", path, interface, method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START, 10000, None)
            print("ok", method)
        except GLib.Error as error:
            print(Gio.DBusError.get_remote_error(error), method, error.message)
    """).format(nobody=NOBODY, name=NAME)


class PermissionTest(DaemonTestCase):
    def new_session(self, *args, **kwargs):
        return super().new_session(*args, **kwargs, everyone=True)

    def call_as_nobody(self, task, times=1):
        for _ in range(times):
            r = subprocess.run([sys.executable, "-c", CLIENT, self.session.env["DBUS_SESSION_BUS_ADDRESS"],
                                str(task.id), str(self.session.base / "touched")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True, timeout=60, check=True)
            lines = r.stdout.splitlines()
            self.assertEqual(len(lines), 18, r.stdout)
            for line in lines:
                self.assertTrue(line.startswith(f"{NAME}.Error.NotPermitted "), line)
                self.assertIn(f"Only user {os.geteuid()} may use this daemon", line)

    def test_another_user_is_refused(self):
        task = self.session.shell("echo secret; exec sleep 1000")
        task.wait_state("running")
        before = self.session.list_tasks()
        self.call_as_nobody(task, times=3)
        self.assertEqual(self.session.list_tasks(), before)
        self.assertEqual(task.get("State"), "running")
        self.assertEqual(self.session.get("MaxParallel"), 8)
        self.assertFalse((self.session.base / "touched").exists())
        # Nobody else pays for it.
        self.assertEqual(self.session.start("noop").wait(), ("succeeded", 0))

    def test_the_own_user_on_another_connection(self):
        for _ in range(100):
            client = self.session.connect()
            self.session.call("CountTasks", "(a{sv})", {}, connection=client)
            client.close_sync(None)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIP: only root can be two users")
        sys.exit(SKIP)
    main()
