#pragma once

#include <gtk/gtk.h>

/* Files that are dropped on a widget, before what is inside of it takes them as text. Those that
 * have no path here, or one that cannot be written in a line, are left out. */
typedef void (*DroppedFilesFunc)(gpointer data, const char *const *paths);

void dropped_files_accept(GtkWidget *widget, DroppedFilesFunc func, gpointer data);

/* NULL for a file without such a path; g_free(). */
char *dropped_file_path(GFile *file);
