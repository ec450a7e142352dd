#!/usr/bin/python3
"""Notifications of tasks that end while nobody looks: one for all, a click leads to the task, a look takes it away.

    LONGRUN_GTK=PATH LONGRUND=PATH LONGRUN=PATH test_gtk_notifications.py
"""

from gtk_testing import Gio, GLib, WindowTestCase, main

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
XML = f"""<node><interface name="{NAME}">
  <method name="Notify">
    <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
    <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
    <arg type="a{{sv}}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/>
  </method>
  <method name="CloseNotification"><arg type="u" direction="in"/></method>
  <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
  <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
</interface></node>"""


class Server:
    """What a desktop shows: `shown` has title and body of each notification by its id, `told` of all there were."""

    def __init__(self, session):
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            session.env["DBUS_SESSION_BUS_ADDRESS"],
            flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        interface = Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0]
        self.connection.register_object(PATH, interface, self._on_call, None, None)
        self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
                                  GLib.Variant("(su)", (NAME, 0)), None, Gio.DBusCallFlags.NONE, -1, None)
        self.shown = {}
        self.told = []

    def _on_call(self, _connection, _sender, _path, _interface, member, parameters, invocation):
        arguments = parameters.unpack()
        if member == "CloseNotification":
            self.shown.pop(arguments[0], None)
            invocation.return_value(None)
            return
        _, replaced, _, title, body, _, _, _ = arguments
        key = replaced or len(self.told) + 1
        self.shown[key] = (title, body)
        self.told.append((title, body))
        invocation.return_value(GLib.Variant("(u)", (key,)))

    def click(self):
        """It goes by that."""
        key, _ = self.shown.popitem()
        self.connection.emit_signal(None, PATH, NAME, "ActionInvoked", GLib.Variant("(us)", (key, "default")))


class NotificationsTest(WindowTestCase):
    def setUp(self):
        super().setUp()
        self.server = Server(self.session)

    def away(self):
        """A window that nobody looks at, and that knows the daemon."""
        window = self.open()
        window.leave()
        window.settles(lambda: not window.look().find_all("frame", active=True), "nobody to look")
        return window

    def shows(self, *notifications):
        self.session.until(lambda: list(self.server.shown.values()) == list(notifications), f"{notifications}")

    def test_one(self):
        window = self.away()
        task = self.session.start_task("sh", "-c", "exit 3", label="<b>build</b>")
        self.shows(("“<b>build</b>” has failed", f"Task {task}, exit code 3"))
        self.server.click()
        window.find("label", "<b>build</b>")

    def test_many(self):
        """However many there are, there is one notification, which changes now and then."""
        window = self.away()
        plan = [("noop", {"label": GLib.Variant("s", f"n{i}")}) for i in range(60)]
        self.session.call("StartMany", "(a(sa{sv}))", plan)
        failed = self.session.start_task("false")
        self.session.wait(*range(1, 61), failed)
        self.shows(("61 tasks have ended", "1 of them has not succeeded"))
        self.assertLessEqual(len(self.server.told), 4)
        self.server.click()
        window.find("page tab", "Tasks", selected=True)

    def test_what_is_not_told(self):
        window = self.away()
        self.session.start_task("true", notify="no", label="quiet")
        cancelled = self.session.start_task("sleep", "100")
        self.session.call("Cancel", "(at)", [cancelled])
        parent = self.session.start_task("sh", "-c", f"{self.session.longrun} start -q --parent $LONGRUN_TASK_ID true")
        self.session.wait(cancelled, parent)
        self.shows((self.server_title(parent), f"Task {parent}"))
        self.assertEqual(len(self.server.told), 1)
        # Who looks needs no notification.
        window.come_back()
        self.shows()
        self.session.wait(self.session.start_task("true", label="seen"))
        window.leave()
        window.settles(lambda: not window.look().find_all("frame", active=True), "nobody to look")
        last = self.session.start_task("true", label="last")
        self.shows(("“last” has succeeded", f"Task {last}"))

    def server_title(self, task):
        label = self.session.property(task, "Label")
        return f"“{label if len(label) <= 80 else label[:79] + '…'}” has succeeded"


if __name__ == "__main__":
    main()
