#pragma once

#include <gio/gio.h>

#include "common/task-state.h"

/* The properties of a task as the daemon gave them, by their names on the bus ("LogSize"). What is
 * missing, or of another type, is 0, FALSE or "". */
typedef GVariantDict TaskProps;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TaskProps, g_variant_dict_unref)

/* Valid until the property is set anew. */
const char *task_props_string(TaskProps *props, const char *name);
guint64 task_props_number(TaskProps *props, const char *name); /* of type t or u */
gint task_props_int(TaskProps *props, const char *name);
double task_props_double(TaskProps *props, const char *name);
gboolean task_props_boolean(TaskProps *props, const char *name);
/* NULL when it is missing; g_variant_unref(). */
GVariant *task_props_array(TaskProps *props, const char *name, const char *type);

TaskState task_props_state(TaskProps *props);
gboolean task_props_is_final(TaskProps *props);
/* It never runs itself, but has runs. */
gboolean task_props_is_series(TaskProps *props);
/* Microseconds from its start to its end, or until now; 0 before its start. */
guint64 task_props_elapsed(TaskProps *props, gint64 now);
