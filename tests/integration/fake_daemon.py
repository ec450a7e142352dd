"""A stand-in for longrund, for what the client must do on answers that the real one gives in rare surroundings only:
pages that are short, a logout that ends tasks, a daemon that dies at one exact moment. Everything else is tested with
the real one.

It lives in the test's own process, on a connection of its own, and answers while the test waits in Session.until().
"""

import os
import subprocess

from longrun_testing import DEADLINE_SEC, MANAGER, NAME, ROOT, TASK, Gio, GLib

PROPERTIES = "org.freedesktop.DBus.Properties"
BACKEND = f"{NAME}.Backend"
MESSENGER = f"{NAME}.Messenger"


def method(name, takes="", gives=""):
    """As XML; arguments are separated by blanks."""
    arguments = [(words.split(), direction) for words, direction in ((takes, "in"), (gives, "out"))]
    return (f'<method name="{name}">' + "".join(f'<arg type="{word}" direction="{direction}"/>'
                                               for words, direction in arguments for word in words) + "</method>")


INTERFACES = f"""<node>
  <interface name="{MANAGER}">
    {method("Start", "s a{sv}", "t o")}
    {method("StartCommand", "as a{sv}", "t o")}
    {method("ListTasks", "a{sv}", "aa{sv} t")}
    {method("CountTasks", "a{sv}", "a{su}")}
    {method("Prune", "a{sv}", "u")}
    {method("Wait", "at", "a(tsi)")}
    {method("Cancel", "at", "u")}
    {method("CancelAll", "a{sv}", "u")}
    {method("RetryAll", "a{sv}", "at")}
    {method("SetPriorityAll", "a{sv} i", "u")}
    {method("ConfigureGroup", "s a{sv}")}
    {method("RemoveGroup", "s")}
    {method("ListGroups", "", "aa{sv}")}
    {method("Pause", "s")}
    {method("Resume", "s")}
    {method("Drain", "s")}
    {method("ConfigureResource", "s u")}
    {method("ListResources", "", "a(suu)")}
    {method("AddBackend", "s a{sv}", "o")}
    {method("RemoveBackend", "s")}
    {method("ListBackends", "", "a(so)")}
  </interface>
  <interface name="{BACKEND}">
    {method("CheckStatus", "", "b")}
    {method("Poll")}
    {method("StartPolling")}
    {method("StopPolling")}
    {method("Request", "s s s", "u s")}
  </interface>
  <interface name="{MESSENGER}">
    {method("LoadFriends", "", "aa{sv}")}
    {method("AddFriend", "s", "a{sv}")}
    {method("RemoveFriend", "s")}
    {method("LoadMessages", "s a{sv}", "aa{sv}")}
    {method("SendMessage", "s s", "a{sv}")}
    {method("DeleteMessage", "s")}
  </interface>
  <interface name="{TASK}">
    {method("OpenLog", "", "h")}
    {method("OpenLogIndex", "", "h")}
    {method("Pause")}
    {method("Resume")}
    {method("Retry", "", "t o")}
    {method("SetPriority", "i")}
    {method("Send", "s")}
    {method("SendToChildren", "s", "u")}
  </interface>
  <interface name="{PROPERTIES}">
    {method("Get", "s s", "v")}
    {method("GetAll", "s", "a{sv}")}
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
    """Owns the name until gone() is called, and keeps what it was asked in `calls`: (method, arguments), and in `on`
    the id of the task, or the name of the backend, that each call was of, None for the manager.

    answers:    method -> function of its arguments that gives the answer's GLib.Variant, or name and message of an
                error; one that is not there is not answered.
    errors:     method -> name and message.
    silent:     methods that are not answered though they could be.
    tasks:      id -> properties (name -> GLib.Variant); a task that is not there has no object.
    backends:   name -> the same; those with a CurrentPeer are messengers, None stands for one that is not there.
    properties: those of the manager. For a single one that is asked for, both may have a function that gives it.
    """

    def __init__(self, session, answers=None, errors=None, silent=(), tasks=None, properties=None, log_path=None,
                 backends=None):
        self.session = session
        self.answers = answers or {}
        self.errors = errors or {}
        self.silent = silent
        self.tasks = tasks or {}
        self.backends = backends or {}
        self.properties = properties or {}
        self.log_path = log_path
        self.calls = []
        self.on = []
        flags = Gio.DBusConnectionFlags
        self.connection = Gio.DBusConnection.new_for_address_sync(
            session.env["DBUS_SESSION_BUS_ADDRESS"],
            flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
        interfaces = {i.name: i for i in Gio.DBusNodeInfo.new_for_xml(INTERFACES).interfaces}
        for path, *names in [(ROOT, MANAGER), *((f"{ROOT}/task/{task}", TASK) for task in self.tasks),
                             *(self._interfaces(backend) for backend in self.backends)]:
            for interface in (*names, PROPERTIES):
                self.connection.register_object(path, interfaces[interface], self._on_call, None, None)
        self.connection.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
                                  GLib.Variant("(su)", (NAME, 0)), None, Gio.DBusCallFlags.NONE, -1, None)

    def _interfaces(self, backend):
        path = f"{ROOT}/backend/{backend}"
        return (path, BACKEND, MESSENGER) if "CurrentPeer" in (self.backends[backend] or ()) else (path, BACKEND)

    def _on_call(self, _connection, _sender, path, _interface, member, parameters, invocation):
        arguments = parameters.unpack()
        self.calls.append((member, arguments))
        self.on.append(self._object(path))
        if member in self.silent:
            return
        if "/backend/" in path and self.backends[self.on[-1]] is None:
            invocation.return_dbus_error("org.freedesktop.DBus.Error.UnknownObject", f"Unknown object '{path}'.")
        elif member in self.errors:
            invocation.return_dbus_error(*self.errors[member])
        elif member in ("OpenLog", "OpenLogIndex"):
            with open(self.log_path if member == "OpenLog" else "/dev/null", "rb") as log:
                fds = Gio.UnixFDList()
                fds.append(log.fileno())
            invocation.return_value_with_unix_fd_list(GLib.Variant("(h)", (0,)), fds)
        elif member == "GetAll":
            invocation.return_value(GLib.Variant("(a{sv})", (self._properties(path),)))
        elif member == "Get":
            self._get(path, arguments[1], invocation)
        elif member in self.answers:
            answer = self.answers[member](*arguments)
            if isinstance(answer, tuple):  # name and message of an error
                invocation.return_dbus_error(*answer)
            else:
                invocation.return_value(answer)

    def _object(self, path):
        part = path.rsplit("/", 1)[1]
        return None if path == ROOT else int(part) if "/task/" in path else part

    def _properties(self, path):
        if path == ROOT:
            return self.properties
        return (self.tasks if "/task/" in path else self.backends)[self._object(path)]

    def _get(self, path, name, invocation):
        properties = self._properties(path)
        if name in properties:
            value = properties[name]() if callable(properties[name]) else properties[name]
            invocation.return_value(GLib.Variant("(v)", (value,)))
        else:
            invocation.return_dbus_error("org.freedesktop.DBus.Error.UnknownProperty", name)

    def emit(self, backend, name, signature, *values, interface=BACKEND):
        """Sends a signal of a backend, or, with None, of the manager."""
        path, interface = (f"{ROOT}/backend/{backend}", interface) if backend else (ROOT, MANAGER)
        self.connection.emit_signal(None, path, interface, name, GLib.Variant(signature, values))

    def asked(self, method):
        """The arguments of each call of the method."""
        return [arguments for name, arguments in self.calls if name == method]

    def asked_of(self, method):
        """The same with the id of the task in front."""
        return [(task, *arguments) for (name, arguments), task in zip(self.calls, self.on) if name == method]

    def until_asked(self, method, times=1):
        self.session.until(lambda: len(self.asked(method)) >= times, f"a call of {method}")

    def gone(self):
        """Off the bus, as after a kill -9."""
        if not self.connection.is_closed():
            self.connection.close_sync(None)
