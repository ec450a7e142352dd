#include "client-gtk/tasks/task-query.h"

static char *copy_text(const char *text) {
    if (!text || !*text)
        return NULL;
    if (g_utf8_strlen(text, -1) <= LONGRUN_TASK_QUERY_TEXT_MAX)
        return g_strdup(text);
    return g_utf8_substring(text, 0, LONGRUN_TASK_QUERY_TEXT_MAX);
}

gboolean task_query_set(TaskQuery *self, guint states, const char *group, const char *text) {
    TaskQuery new = {.states = states, .group = copy_text(group), .text = copy_text(text)};
    gboolean changed = new.states != self->states || g_strcmp0(new.group, self->group) != 0 ||
                       g_strcmp0(new.text, self->text) != 0;

    task_query_clear(self);
    *self = new;
    return changed;
}

void task_query_clear(TaskQuery *self) {
    self->states = 0;
    g_clear_pointer(&self->group, g_free);
    g_clear_pointer(&self->text, g_free);
}

gboolean task_query_is_all(const TaskQuery *self) {
    return self->states == 0 && task_query_is_of_states(self);
}

gboolean task_query_is_of_states(const TaskQuery *self) {
    return !self->group && !self->text;
}

gboolean task_query_has_state(const TaskQuery *self, TaskState state) {
    return self->states == 0 || (state >= 0 && self->states & (1u << state));
}

/* ---- what is asked ---- */

static GVariant *names_of(guint states) {
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE_STRING_ARRAY);
    for (int state = 0; state < _TASK_STATE_MAX; state++)
        if (states & (1u << state))
            g_variant_builder_add(&b, "s", task_state_to_string(state));
    return g_variant_builder_end(&b);
}

GVariant *task_query_page(const TaskQuery *self, guint states, guint64 cursor, guint limit,
                          const char *const *fields) {
    GVariantBuilder b;

    if (states == 0)
        states = self->states;
    g_variant_builder_init(&b, G_VARIANT_TYPE_VARDICT);
    if (states != 0)
        g_variant_builder_add(&b, "{sv}", "states", names_of(states));
    if (self->group)
        g_variant_builder_add(&b, "{sv}", "group", g_variant_new_string(self->group));
    if (self->text)
        g_variant_builder_add(&b, "{sv}", "search", g_variant_new_string(self->text));
    if (cursor > 0)
        g_variant_builder_add(&b, "{sv}", "cursor", g_variant_new_uint64(cursor));
    g_variant_builder_add(&b, "{sv}", "limit", g_variant_new_uint32(limit));
    g_variant_builder_add(&b, "{sv}", "newest-first", g_variant_new_boolean(TRUE));
    g_variant_builder_add(&b, "{sv}", "fields", g_variant_new_strv(fields, -1));
    return g_variant_builder_end(&b);
}
