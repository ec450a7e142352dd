"""A stand-in for longrund, for what the client must do on answers that the real one gives in rare surroundings only:
pages that are short, a logout that ends tasks, a daemon that dies at one exact moment. Everything else is tested with
the real one.

It lives in the test's own process, on a connection of its own, and answers while the test waits in Session.until().
"""

import os
import subprocess

from longrun_testing import DEADLINE_SEC, MANAGER, NAME, ROOT, TASK, Gio, GLib

PROPERTIES = "org.freedesktop.DBus.Properties"

INTERFACES = f"""<node>
  <interface name="{MANAGER}">
    <method name="StartCommand">
      <arg type="as" direction="in"/><arg type="a{{sv}}" direction="in"/>
      <arg type="t" direction="out"/><arg type="o" direction="out"/>
    </method>
    <method name="ListTasks">
      <arg type="a{{sv}}" direction="in"/><arg type="aa{{sv}}" direction="out"/><arg type="t" direction="out"/>
    </method>
    <method name="CountTasks"><arg type="a{{sv}}" direction="in"/><arg type="a{{su}}" direction="out"/></method>
    <method name="Prune"><arg type="a{{sv}}" direction="in"/><arg type="u" direction="out"/></method>
    <method name="Wait"><arg type="at" direction="in"/><arg type="a(tsi)" direction="out"/></method>
  </interface>
  <interface name="{TASK}">
    <method name="OpenLog"><arg type="h" direction="out"/></method>
    <method name="Pause"/>
    <method name="Resume"/>
  </interface>
  <interface name="{PROPERTIES}">
    <method name="Get">
      <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="v" direction="out"/>
    </method>
    <method name="GetAll"><arg type="s" direction="in"/><arg type="a{{sv}}" direction="out"/></method>
  </interface>
</node>"""


def finish(session, process):
    """Answers until the process has ended; gives what it has printed and its exit status."""
    pidfd = os.pidfd_open(process.pid)
    ended = []
    source = GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, pidfd, GLib.IOCondition.IN,
                                   lambda *_: ended.append(True) or GLib.SOURCE_CONTINUE)
    try:
        session.until(lambda: ended, "the client to end")
    finally:
        GLib.source_remove(source)
        os.close(pidfd)
    return (*process.communicate(timeout=DEADLINE_SEC), process.returncode)


def run(session, *args, **kwargs):
    """As Session.run(), with answers; gives stdout, stderr and the exit status."""
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | kwargs
    return finish(session, session.popen(*args, **kwargs))


class FakeDaemon:
    """Owns the name until gone() is called, and keeps what it was asked in `calls`: (method, arguments).

    answers:    method -> function of its arguments that gives the answer's GLib.Variant; one that is not there is not
                answered.
    errors:     method -> name and message.
    silent:     methods that are not answered though they could be.
    tasks:      id -> properties (name -> GLib.Variant); a task that is not there has no object.
    properties: those of the manager. For a single one that is asked for, both may have a function that gives it.
    """

    def __init__(self, session, answers=None, errors=None, silent=(), tasks=None, properties=None, log_path=None):
        self.session = session
        self.answers = answers or {}
        self.errors = errors or {}
        self.silent = silent
        self.tasks = tasks or {}
        self.properties = properties or {}
        self.log_path = log_path
        self.calls = []
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            session.env["DBUS_SESSION_BUS_ADDRESS"],
            flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        interfaces = {i.name: i for i in Gio.DBusNodeInfo.new_for_xml(INTERFACES).interfaces}
        for path, name in [(ROOT, MANAGER), *((f"{ROOT}/task/{task}", TASK) for task in self.tasks)]:
            for interface in (name, PROPERTIES):
                self.connection.register_object(path, interfaces[interface], self._on_call, None, None)
        self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
                                  GLib.Variant("(su)", (NAME, 0)), None, Gio.DBusCallFlags.NONE, -1, None)

    def _on_call(self, _connection, _sender, path, _interface, method, parameters, invocation):
        arguments = parameters.unpack()
        self.calls.append((method, arguments))
        if method in self.silent:
            return
        if method in self.errors:
            invocation.return_dbus_error(*self.errors[method])
        elif method == "OpenLog":
            with open(self.log_path, "rb") as log:
                fds = Gio.UnixFDList()
                fds.append(log.fileno())
            invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (0,)), fds)
        elif method == "GetAll":
            invocation.return_value(GLib.Variant("(a{sv})", (self._properties(path),)))
        elif method == "Get":
            self._get(path, arguments[1], invocation)
        elif method in self.answers:
            invocation.return_value(self.answers[method](*arguments))

    def _properties(self, path):
        return self.properties if path == ROOT else self.tasks[int(path.rsplit("/", 1)[1])]

    def _get(self, path, name, invocation):
        properties = self._properties(path)
        if name in properties:
            value = properties[name]() if callable(properties[name]) else properties[name]
            invocation.return_value(GLib.Variant("(v)", (value,)))
        else:
            invocation.return_dbus_error("org.freedesktop.DBus.Error.UnknownProperty", name)

    def asked(self, method):
        """The arguments of each call of the method."""
        return [arguments for name, arguments in self.calls if name == method]

    def until_asked(self, method, times=1):
        self.session.until(lambda: len(self.asked(method)) >= times, f"a call of {method}")

    def gone(self):
        """Off the bus, as after a kill -9."""
        if not self.connection.is_closed():
            self.connection.close_sync(None)
