#pragma once

#include <adwaita.h>

/* The application: its options, its actions, its windows, and the way to the daemon that they
 * share.
 *
 * Actions for everybody: app.show-task(t) opens the window at a task, app.show-tasks at the
 * list, app.start-task the window for a new one. */
#define LONGRUN_TYPE_APP (longrun_app_get_type())
G_DECLARE_FINAL_TYPE(LongrunApp, longrun_app, LONGRUN, APP, AdwApplication)

#define APP_ID "org.longrun.Longrun"

LongrunApp *longrun_app_new(void);
