#include "client-gtk/start/command-history.h"

#include "client-gtk/start/history-file.h"

struct _CommandHistory {
    GObject parent_instance;

    char *path;
    GStrv lines;
};

G_DEFINE_FINAL_TYPE(CommandHistory, command_history, G_TYPE_OBJECT)

enum {
    CHANGED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

/* ---- in a thread ---- */

typedef struct Change {
    char *path, *line; /* no line: read it alone */
    gboolean clear;
} Change;

static void change_free(gpointer data) {
    Change *change = data;

    g_free(change->path);
    g_free(change->line);
    g_free(change);
}

static void run_change(GTask *task, gpointer source, gpointer data, GCancellable *cancellable) {
    const Change *change = data;

    if (change->clear)
        history_file_clear(change->path);
    g_task_return_pointer(task,
                          change->line ? history_file_add(change->path, change->line)
                                       : history_file_read(change->path),
                          (GDestroyNotify)g_strfreev);
}

/* ---- here ---- */

static void on_changed(GObject *source, GAsyncResult *result, gpointer userdata) {
    CommandHistory *self = LONGRUN_COMMAND_HISTORY(source);
    GStrv lines = g_task_propagate_pointer(G_TASK(result), NULL);

    g_strfreev(self->lines);
    self->lines = lines;
    g_signal_emit(self, signals[CHANGED], 0);
    if (g_application_get_default())
        g_application_release(g_application_get_default());
}

/* The task holds self until it is done, and the application with it. */
static void begin(CommandHistory *self, const char *line, gboolean clear) {
    g_autoptr(GTask) task = g_task_new(self, NULL, on_changed, NULL);
    Change *change = g_new0(Change, 1);

    change->path = g_strdup(self->path);
    change->line = g_strdup(line);
    change->clear = clear;
    g_task_set_task_data(task, change, change_free);
    if (g_application_get_default())
        g_application_hold(g_application_get_default());
    g_task_run_in_thread(task, run_change);
}

const char *const *command_history_lines(CommandHistory *self) {
    return (const char *const *)self->lines;
}

void command_history_add(CommandHistory *self, const char *line) {
    begin(self, line, FALSE);
}

void command_history_clear(CommandHistory *self) {
    begin(self, NULL, TRUE);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    CommandHistory *self = LONGRUN_COMMAND_HISTORY(object);

    g_free(self->path);
    g_strfreev(self->lines);
    G_OBJECT_CLASS(command_history_parent_class)->finalize(object);
}

static void command_history_class_init(CommandHistoryClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] = g_signal_new("changed", LONGRUN_TYPE_COMMAND_HISTORY, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void command_history_init(CommandHistory *self) {
    self->lines = g_new0(char *, 1);
}

CommandHistory *command_history_new(const char *path) {
    CommandHistory *self = g_object_new(LONGRUN_TYPE_COMMAND_HISTORY, NULL);

    self->path = path ? g_strdup(path)
                      : g_build_filename(g_get_user_state_dir(), "longrun-gtk", "commands", NULL);
    begin(self, NULL, FALSE);
    return self;
}
