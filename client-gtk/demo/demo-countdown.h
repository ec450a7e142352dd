#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* A task of eight steps with its status, progress, log and cancel, and a button that shows that the
 * window has time for people meanwhile. */
#define LONGRUN_TYPE_DEMO_COUNTDOWN (demo_countdown_get_type())
G_DECLARE_FINAL_TYPE(DemoCountdown, demo_countdown, LONGRUN, DEMO_COUNTDOWN, AdwBin)

/* Once. Goes on with a task that was started before, if there is one. */
void demo_countdown_set_link(DemoCountdown *self, DaemonLink *link);
