#pragma once

#include <gtk/gtk.h>

#include "client-gtk/base/daemon-link.h"

/* A search of tasks, in a popover. Signal "chosen" (t): the id of one. */
#define LONGRUN_TYPE_TASK_CHOOSER (task_chooser_get_type())
G_DECLARE_FINAL_TYPE(TaskChooser, task_chooser, LONGRUN, TASK_CHOOSER, GtkPopover)

GtkWidget *task_chooser_new(DaemonLink *link);
