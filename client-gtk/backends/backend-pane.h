#pragma once

#include <adwaita.h>

#include "client-gtk/backends/backend-item.h"
#include "client-gtk/base/daemon-link.h"

/* All of one backend, and what can be done with it. */
#define LONGRUN_TYPE_BACKEND_PANE (backend_pane_get_type())
G_DECLARE_FINAL_TYPE(BackendPane, backend_pane, LONGRUN, BACKEND_PANE, AdwBin)

/* Once. */
void backend_pane_set_link(BackendPane *self, DaemonLink *link);

/* NULL: none is chosen. */
void backend_pane_set_item(BackendPane *self, BackendItem *item);
BackendItem *backend_pane_get_item(BackendPane *self);
