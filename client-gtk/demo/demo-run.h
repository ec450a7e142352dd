#pragma once

#include "client-gtk/base/daemon-link.h"

/* One task of the demo at a time: starts it, or finds the one that runs already, and tells what
 * comes of it. The task is the daemon's: it goes on when this has gone.
 *
 * Signals, in their order:
 *   "began" (gboolean already)   it is active; already: another window, or one that was closed
 * since, has started it "status" (string), "progress" (double), "log" (string, a line): all lines,
 * each once "ended" (string state, string message, string result): result is JSON, or ""; no more
 * log then "failed" (string): it could not be started, or not be cancelled */
#define LONGRUN_TYPE_DEMO_RUN (demo_run_get_type())
G_DECLARE_FINAL_TYPE(DemoRun, demo_run, LONGRUN, DEMO_RUN, GObject)

/* key: there is one active task with it at the most. */
DemoRun *demo_run_new(DaemonLink *link, const char *kind, const char *key);

/* label: what the list of tasks calls it. params: JSON. */
void demo_run_start(DemoRun *self, const char *label, const char *params, gboolean isolate);

/* Follows one that is active already, if there is. */
void demo_run_find(DemoRun *self);

void demo_run_cancel(DemoRun *self);

/* From the start until "ended" or "failed". */
gboolean demo_run_is_active(DemoRun *self);
/* Of the task, for app.show-task; 0 before the first. */
guint64 demo_run_get_id(DemoRun *self);
/* Since it has begun. */
gint64 demo_run_get_elapsed_sec(DemoRun *self);
