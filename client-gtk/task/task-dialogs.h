#pragma once

#include <adwaita.h>

/* Questions about a task, in front of the window of from. Each is shown at once; its response is
 * "do" when it is to be done. */

GtkWidget *task_dialog_remove(GtkWidget *from, const char *label);

/* error: why label was not taken, or "". */
GtkWidget *task_dialog_rename(GtkWidget *from, const char *label, const char *error);
char *task_dialog_get_text(GtkWidget *dialog); /* g_free() */

GtkWidget *task_dialog_priority(GtkWidget *from, gint priority);
gint task_dialog_get_number(GtkWidget *dialog);
