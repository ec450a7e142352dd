#include "client-gtk/base/task-ids.h"

#include <glib/gi18n.h>

GArray *task_ids_parse(const char *const *words, GError **error) {
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));

    for (; words && *words; words++) {
        guint64 id;

        if (!g_ascii_string_to_unsigned(*words, 10, 1, G_MAXUINT64, &id, NULL)) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        /* Translators: %s is what somebody gave in place of a number. */
                        _("“%s” is not the id of a task, which is a number; see: longrun list"),
                        *words);
            return NULL;
        }
        if (ids->len == TASK_IDS_MAX) {
            g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                        ngettext("At most %d task can be opened at once",
                                 "At most %d tasks can be opened at once", TASK_IDS_MAX),
                        TASK_IDS_MAX);
            return NULL;
        }
        g_array_append_val(ids, id);
    }
    return g_steal_pointer(&ids);
}
