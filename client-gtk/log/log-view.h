#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The log of a task. */
#define LONGRUN_TYPE_LOG_VIEW (log_view_get_type())
G_DECLARE_FINAL_TYPE(LogView, log_view, LONGRUN, LOG_VIEW, AdwBin)

GtkWidget *log_view_new(DaemonLink *link, guint64 id);
