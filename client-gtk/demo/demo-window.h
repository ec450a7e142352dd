#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* longrun-gtk --demo: a job with all that a job can show. */
#define LONGRUN_TYPE_DEMO_WINDOW (demo_window_get_type())
G_DECLARE_FINAL_TYPE(DemoWindow, demo_window, LONGRUN, DEMO_WINDOW, AdwApplicationWindow)

GtkWindow *demo_window_new(GtkApplication *app, DaemonLink *link);
