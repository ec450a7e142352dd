#include "client-gtk/task/task-note.h"

struct _TaskNote {
    GObject parent_instance;

    gint64 usec;
    guint64 from;
    char *text;
};

G_DEFINE_FINAL_TYPE(TaskNote, task_note, G_TYPE_OBJECT)

gint64 task_note_get_time(TaskNote *self) {
    return self->usec;
}

guint64 task_note_get_from(TaskNote *self) {
    return self->from;
}

const char *task_note_get_text(TaskNote *self) {
    return self->text;
}

static void finalize(GObject *object) {
    g_free(LONGRUN_TASK_NOTE(object)->text);
    G_OBJECT_CLASS(task_note_parent_class)->finalize(object);
}

static void task_note_class_init(TaskNoteClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void task_note_init(TaskNote *self) {
}

TaskNote *task_note_new(gint64 usec, guint64 from, const char *text) {
    TaskNote *self = g_object_new(LONGRUN_TYPE_TASK_NOTE, NULL);

    self->usec = usec;
    self->from = from;
    self->text = g_strdup(text);
    return self;
}
