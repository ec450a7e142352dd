#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* A new task: what to run, and how. The window closes when it was started; what was filled in stays
 * when it could not be.
 *
 * Signal "started" (t, s): the id and the name of the task. */
#define LONGRUN_TYPE_START_WINDOW (start_window_get_type())
G_DECLARE_FINAL_TYPE(StartWindow, start_window, LONGRUN, START_WINDOW, AdwWindow)

GtkWindow *start_window_new(GtkApplication *app, DaemonLink *link);
