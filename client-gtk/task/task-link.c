#include "client-gtk/task/task-link.h"

struct _TaskLink {
    GObject parent_instance;

    guint64 id;
    TaskRole role;
    char *label;
    TaskState state;
    gboolean gone;
};

G_DEFINE_FINAL_TYPE(TaskLink, task_link, G_TYPE_OBJECT)

static guint signal_changed;

guint64 task_link_get_id(TaskLink *self) {
    return self->id;
}

TaskRole task_link_get_role(TaskLink *self) {
    return self->role;
}

const char *task_link_get_label(TaskLink *self) {
    return self->label;
}

TaskState task_link_get_state(TaskLink *self) {
    return self->state;
}

gboolean task_link_is_gone(TaskLink *self) {
    return self->gone;
}

static gboolean is_final(TaskState state) {
    return state != _TASK_STATE_INVALID && task_state_is_final(state);
}

/* A list that was asked for before the end may come behind the news of it. */
void task_link_set(TaskLink *self, const char *label, TaskState state) {
    gboolean changed = FALSE;

    if (label && !g_str_equal(label, self->label)) {
        g_free(self->label);
        self->label = g_strdup(label);
        changed = TRUE;
    }
    if (state != self->state && !is_final(self->state)) {
        self->state = state;
        changed = TRUE;
    }
    if (changed)
        g_signal_emit(self, signal_changed, 0);
}

void task_link_set_gone(TaskLink *self) {
    if (self->gone)
        return;
    self->gone = TRUE;
    g_signal_emit(self, signal_changed, 0);
}

static void finalize(GObject *object) {
    g_free(LONGRUN_TASK_LINK(object)->label);
    G_OBJECT_CLASS(task_link_parent_class)->finalize(object);
}

static void task_link_class_init(TaskLinkClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_changed = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void task_link_init(TaskLink *self) {
    self->label = g_strdup("");
    self->state = _TASK_STATE_INVALID;
}

TaskLink *task_link_new(guint64 id, TaskRole role) {
    TaskLink *self = g_object_new(LONGRUN_TYPE_TASK_LINK, NULL);

    self->id = id;
    self->role = role;
    return self;
}
