#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* One task. */
#define LONGRUN_TYPE_TASK_PAGE (task_page_get_type())
G_DECLARE_FINAL_TYPE(TaskPage, task_page, LONGRUN, TASK_PAGE, AdwBin)

GtkWidget *task_page_new(DaemonLink *link, guint64 id);
