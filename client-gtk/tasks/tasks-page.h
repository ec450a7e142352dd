#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The list of all tasks. */
#define LONGRUN_TYPE_TASKS_PAGE (tasks_page_get_type())
G_DECLARE_FINAL_TYPE(TasksPage, tasks_page, LONGRUN, TASKS_PAGE, AdwBin)

/* Once. */
void tasks_page_set_link(TasksPage *self, DaemonLink *link);
