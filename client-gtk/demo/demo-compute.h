#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The number e, computed for three seconds: in a process of its own or not, with or without an
 * error. */
#define LONGRUN_TYPE_DEMO_COMPUTE (demo_compute_get_type())
G_DECLARE_FINAL_TYPE(DemoCompute, demo_compute, LONGRUN, DEMO_COMPUTE, AdwBin)

/* Once. Goes on with a task that was started before, if there is one. */
void demo_compute_set_link(DemoCompute *self, DaemonLink *link);
