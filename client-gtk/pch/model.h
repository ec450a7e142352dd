/* Compiled once for all models. */
#include "dbus/dbus-proxies.h"
