#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The HTTP services that longrund watches. */
#define LONGRUN_TYPE_BACKENDS_PAGE (backends_page_get_type())
G_DECLARE_FINAL_TYPE(BackendsPage, backends_page, LONGRUN, BACKENDS_PAGE, AdwBin)

/* Once. */
void backends_page_set_link(BackendsPage *self, DaemonLink *link);
