#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* Asks for a new backend, with all settings that there are. Stays until the daemon has taken it;
 * what it does not take is told at the field.
 *
 * Signal: "added" (name, object path). */
#define LONGRUN_TYPE_BACKEND_ADD (backend_add_get_type())
G_DECLARE_FINAL_TYPE(BackendAdd, backend_add, LONGRUN, BACKEND_ADD, AdwWindow)

GtkWindow *backend_add_new(GtkWindow *parent, DaemonLink *link);
