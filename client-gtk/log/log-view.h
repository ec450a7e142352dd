#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The log of a task: text in the colours of a terminal, with its own bar (follow, search, wrap,
 * save). It opens the log through the daemon and then reads the file itself, in threads: it needs
 * to be told of nothing, neither that the log grows nor that the daemon has gone. What is in memory
 * is a bounded part of the log, however long that is.
 *
 * In a .ui file it is an object of class LogView, empty until it gets its task; it takes all the
 * room that it is given, and scrolls inside. */
#define LONGRUN_TYPE_LOG_VIEW (log_view_get_type())
G_DECLARE_FINAL_TYPE(LogView, log_view, LONGRUN, LOG_VIEW, AdwBin)

GtkWidget *log_view_new(DaemonLink *link, guint64 id);

/* Shows this task's log from now on, its end first. The same one again changes nothing. */
void log_view_set_task(LogView *self, DaemonLink *link, guint64 id);

/* Opens the search, as Ctrl+F does within the view. */
void log_view_search(LogView *self);
