#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-link.h"

/* Another task, to go to. */
#define LONGRUN_TYPE_LINK_ROW (link_row_get_type())
G_DECLARE_FINAL_TYPE(LinkRow, link_row, LONGRUN, LINK_ROW, AdwActionRow)

GtkWidget *link_row_new(TaskLink *link);
