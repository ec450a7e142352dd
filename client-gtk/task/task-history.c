#include "client-gtk/task/task-history.h"

#include <math.h>

#define SAMPLES 600

struct _TaskHistory {
    GObject parent_instance;

    PlotSeries *progress, *rate;
    guint64 attempt, started;
};

G_DEFINE_FINAL_TYPE(TaskHistory, task_history, G_TYPE_OBJECT)

PlotSeries *task_history_get_progress(TaskHistory *self) {
    return self->progress;
}

PlotSeries *task_history_get_rate(TaskHistory *self) {
    return self->rate;
}

/* The one point that is known of the time before somebody looked. */
static void begin(TaskHistory *self, TaskProps *props) {
    self->attempt = task_props_number(props, "Attempt");
    self->started = task_props_number(props, "StartedAt");
    plot_series_clear(self->progress);
    plot_series_clear(self->rate);
    if (task_props_double(props, "Progress") >= 0)
        plot_series_add(self->progress, (gint64)self->started, 0);
}

static gboolean is_at_work(TaskProps *props) {
    TaskState state = task_props_state(props);

    return state == TASK_RUNNING || state == TASK_PAUSED || state == TASK_CANCELLING;
}

void task_history_note(TaskHistory *self, TaskProps *props, gint64 now) {
    double progress = task_props_double(props, "Progress"), rate = task_props_double(props, "Rate");

    if (!is_at_work(props) || task_props_number(props, "StartedAt") == 0)
        return;
    if (self->started != task_props_number(props, "StartedAt") ||
        self->attempt != task_props_number(props, "Attempt"))
        begin(self, props);
    if (progress >= 0 || plot_series_get_n(self->progress) > 0)
        plot_series_add(self->progress, now, progress >= 0 ? progress : NAN);
    if (rate >= 0 || plot_series_get_n(self->rate) > 0)
        plot_series_add(self->rate, now, rate >= 0 ? rate : NAN);
}

static void dispose(GObject *object) {
    TaskHistory *self = LONGRUN_TASK_HISTORY(object);

    g_clear_object(&self->progress);
    g_clear_object(&self->rate);
    G_OBJECT_CLASS(task_history_parent_class)->dispose(object);
}

static void task_history_class_init(TaskHistoryClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void task_history_init(TaskHistory *self) {
    self->progress = plot_series_new(PLOT_KEEP_ALL, SAMPLES);
    self->rate = plot_series_new(PLOT_KEEP_ALL, SAMPLES);
}

TaskHistory *task_history_new(void) {
    return g_object_new(LONGRUN_TYPE_TASK_HISTORY, NULL);
}
