#include "client-gtk/start/dropped-files.h"

#include <string.h>

typedef struct Drop {
    DroppedFilesFunc func;
    gpointer data;
} Drop;

char *dropped_file_path(GFile *file) {
    g_autofree char *path = g_file_get_path(file);

    if (!path || strchr(path, '\n') || !g_utf8_validate(path, -1, NULL))
        return NULL;
    return g_steal_pointer(&path);
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        gpointer userdata) {
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    const Drop *drop = userdata;

    for (GSList *l = g_value_get_boxed(value); l; l = l->next) {
        char *path = dropped_file_path(l->data);
        if (path)
            g_ptr_array_add(paths, path);
    }
    if (paths->len == 0)
        return FALSE;
    g_ptr_array_add(paths, NULL);
    drop->func(drop->data, (const char *const *)paths->pdata);
    return TRUE;
}

static void drop_free(gpointer data, GClosure *closure) {
    g_free(data);
}

void dropped_files_accept(GtkWidget *widget, DroppedFilesFunc func, gpointer data) {
    GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    Drop *drop = g_new0(Drop, 1);

    drop->func = func;
    drop->data = data;
    g_signal_connect_data(target, "drop", G_CALLBACK(on_drop), drop, drop_free, 0);
    gtk_event_controller_set_propagation_phase(GTK_EVENT_CONTROLLER(target), GTK_PHASE_CAPTURE);
    gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(target));
}
