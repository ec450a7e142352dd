#pragma once

#include <gtk/gtk.h>

#include "client-gtk/backends/backend-item.h"

/* How states of backends look and what they are called. */

/* "Online", translated. */
const char *backend_state_title(BackendItem *item);

/* Icon, style class and accessible label. */
void backend_state_set_icon(GtkImage *image, BackendItem *item);
