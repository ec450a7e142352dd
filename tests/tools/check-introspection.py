#!/usr/bin/python3
"""What the running longrund answers to Introspect is what dbus/*.xml says, both ways.

    private-bus BUILDDIR check-introspection.py SOURCE_ROOT

Interfaces are compared parsed: methods and signals with their arguments' names, types and directions, properties with
types and access, and the annotations that clients go by.
"""

import pathlib
import sys
import xml.etree.ElementTree as ET

from gi.repository import Gio, GLib

NAME = "org.longrun.Longrun1"
ROOT = "/org/longrun/Longrun1"

CHANGES = "org.freedesktop.DBus.Property.EmitsChangedSignal"
ANNOTATIONS = {CHANGES, "org.freedesktop.DBus.Deprecated", "org.freedesktop.DBus.Method.NoReply",
               "org.freedesktop.systemd1.Explicit"}
# An annotation that says what holds without it.
DEFAULTS = {(CHANGES, "true"), ("org.freedesktop.DBus.Deprecated", "false")}


def annotations(element):
    pairs = {(a.get("name"), a.get("value")) for a in element.findall("annotation") if a.get("name") in ANNOTATIONS}
    return " ".join(f"{name.rpartition('.')[2]}={value}" for name, value in sorted(pairs - DEFAULTS))


def arguments(element, direction):
    return ", ".join(f"{a.get('direction', direction)} {a.get('type')} {a.get('name')}" for a in element.findall("arg"))


def members(interface):
    """Each member as a line of text, by what it is and its name."""
    found = {}
    for element in interface:
        key = f"{element.tag} {element.get('name')}"
        if element.tag == "method":
            found[key] = f"({arguments(element, 'in')}) {annotations(element)}"
        elif element.tag == "signal":
            found[key] = f"({arguments(element, 'out')}) {annotations(element)}"
        elif element.tag == "property":
            found[key] = f"{element.get('type')} {element.get('access')} {annotations(element)}"
    return found


def interfaces(xml):
    return {i.get("name"): members(i) for i in ET.fromstring(xml).findall("interface")}


def call(bus, path, interface, method, args):
    return bus.call_sync(NAME, path, interface, method, args, None, Gio.DBusCallFlags.NONE, 30000, None).unpack()


def introspect(bus, path):
    return call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", None)[0]


def compare(where, expected, actual):
    """Yields what is different."""
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            yield f"{where}: {name} is in the XML, but not in the daemon"
        elif name not in expected:
            yield f"{where}: {name} is in the daemon, but not in the XML"
        elif expected[name] != actual[name]:
            yield f"{where}: {name}\n    XML:    {expected[name]}\n    daemon: {actual[name]}"


def nameless(contract):
    for interface, found in contract.items():
        for member, text in found.items():
            if " None" in text:
                yield f"{interface}: {member}: an argument has no name"


def main():
    contract = {}
    for path in sorted((pathlib.Path(sys.argv[1]) / "dbus").glob("*.xml")):
        contract.update(interfaces(path.read_text(encoding="utf-8")))
    bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    _, task = call(bus, ROOT, f"{NAME}.Manager", "Start", GLib.Variant("(sa{sv})", ("noop", {})))
    settings = {"url": GLib.Variant("s", "http://127.0.0.1:1"), "type": GLib.Variant("s", "messenger")}
    backend, = call(bus, ROOT, f"{NAME}.Manager", "AddBackend", GLib.Variant("(sa{sv})", ("chat", settings)))
    errors = list(nameless(contract))
    seen = set()
    for path in (ROOT, task, backend):
        actual = {name: found for name, found in interfaces(introspect(bus, path)).items() if name.startswith(NAME)}
        seen |= actual.keys()
        for name, found in actual.items():
            errors += compare(name, contract.get(name, {}), found)
    errors += [f"{name}: no object has this interface" for name in sorted(contract.keys() - seen)]
    for path in (task, backend):
        parent, _, child = path.rpartition("/")
        children = {node.get("name") for node in ET.fromstring(introspect(bus, parent)).findall("node")}
        if child not in children:
            errors.append(f"{path} is not among the children of {parent}: {sorted(children)}")
    for error in errors:
        print(error)
    print(f"{sum(map(len, contract.values()))} members of {len(contract)} interfaces, {len(errors)} differences")
    return 1 if errors or not contract else 0


if __name__ == "__main__":
    sys.exit(main())
