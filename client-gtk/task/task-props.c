#include "client-gtk/task/task-props.h"

const char *task_props_string(TaskProps *props, const char *name) {
    const char *value;

    return g_variant_dict_lookup(props, name, "&s", &value) ? value : "";
}

guint64 task_props_number(TaskProps *props, const char *name) {
    guint64 value;
    guint32 small;

    if (g_variant_dict_lookup(props, name, "t", &value))
        return value;
    return g_variant_dict_lookup(props, name, "u", &small) ? small : 0;
}

gint task_props_int(TaskProps *props, const char *name) {
    gint32 value;

    return g_variant_dict_lookup(props, name, "i", &value) ? value : 0;
}

double task_props_double(TaskProps *props, const char *name) {
    double value;

    return g_variant_dict_lookup(props, name, "d", &value) ? value : 0;
}

gboolean task_props_boolean(TaskProps *props, const char *name) {
    gboolean value;

    return g_variant_dict_lookup(props, name, "b", &value) && value;
}

GVariant *task_props_array(TaskProps *props, const char *name, const char *type) {
    return g_variant_dict_lookup_value(props, name, G_VARIANT_TYPE(type));
}

TaskState task_props_state(TaskProps *props) {
    return task_state_from_string(task_props_string(props, "State"));
}

gboolean task_props_is_final(TaskProps *props) {
    return task_state_is_final(task_props_state(props));
}

gboolean task_props_is_series(TaskProps *props) {
    return task_props_number(props, "Every") > 0 || task_props_string(props, "Calendar")[0];
}

guint64 task_props_elapsed(TaskProps *props, gint64 now) {
    guint64 started = task_props_number(props, "StartedAt");
    guint64 finished = task_props_number(props, "FinishedAt");
    guint64 end = finished > 0 ? finished : (guint64)now;

    return started > 0 && end > started ? end - started : 0;
}
