/* Compiled once for all pages and widgets: GTK's headers take longer than what follows them. */
#include <adwaita.h>

#include "dbus/dbus-proxies.h"
