#pragma once

#include <gtk/gtk.h>

#include "client-gtk/backends/backend-item.h"

/* A backend in the list. */
#define LONGRUN_TYPE_BACKEND_ROW (backend_row_get_type())
G_DECLARE_FINAL_TYPE(BackendRow, backend_row, LONGRUN, BACKEND_ROW, GtkWidget)

GtkWidget *backend_row_new(void);

/* NULL: none for the moment. */
void backend_row_set_item(BackendRow *self, BackendItem *item);
