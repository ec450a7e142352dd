#include "client-gtk/task/task-progress.h"

#include <glib/gi18n.h>

#include "client-gtk/task/task-words.h"
#include "client-gtk/widgets/plot.h"

#define PULSE_MSEC 100

struct _TaskProgress {
    AdwBin parent_instance;

    GtkLabel *percent, *left, *phase, *pace;
    GtkProgressBar *bar;
    GtkWidget *numbers, *words, *plots, *switcher;
    GtkStack *stack;
    Plot *progress_plot, *rate_plot;
    gboolean has_plots, is_bytes;
    guint pulse; /* source, while it is at work and nobody knows how far */
};

G_DEFINE_FINAL_TYPE(TaskProgress, task_progress, ADW_TYPE_BIN)

/* ---- plots ---- */

static char *format_fraction(double value) {
    return g_strdup_printf(_("%d%%"), (int)(value * 100 + 1e-6));
}

static char *format_rate(double value) {
    return value > 0 ? task_words_rate_of(value, "") : g_strdup("0");
}

static char *format_byte_rate(double value) {
    return value > 0 ? task_words_rate_of(value, "bytes") : g_strdup("0");
}

static void add_plots(TaskProgress *self, TaskDetails *details) {
    TaskHistory *history = task_details_get_history(details);

    self->has_plots = TRUE;
    plot_set_format(self->progress_plot, format_fraction);
    plot_set_limit(self->progress_plot, 1, FALSE);
    plot_set_format(self->rate_plot, format_rate);
    plot_set_series(self->progress_plot, task_history_get_progress(history));
    plot_set_series(self->rate_plot, task_history_get_rate(history));
}

static void show_unit(TaskProgress *self, TaskProps *props) {
    gboolean is_bytes = g_str_equal(task_props_string(props, "Unit"), "bytes");

    if (is_bytes == self->is_bytes)
        return;
    self->is_bytes = is_bytes;
    plot_set_format(self->rate_plot, is_bytes ? format_byte_rate : format_rate);
    plot_set_limit(self->rate_plot, 0, is_bytes);
}

static gboolean has_line(PlotSeries *series) {
    return plot_series_extent(series).n > 1;
}

static void show_plots(TaskProgress *self, TaskDetails *details) {
    TaskHistory *history = task_details_get_history(details);
    gboolean progress = has_line(task_history_get_progress(history));
    gboolean rate = has_line(task_history_get_rate(history));

    if (!self->has_plots)
        add_plots(self, details);
    show_unit(self, task_details_get_props(details));
    gtk_widget_set_visible(self->plots, progress || rate);
    gtk_widget_set_visible(self->switcher, progress && rate);
    gtk_stack_page_set_visible(gtk_stack_get_page(self->stack, GTK_WIDGET(self->progress_plot)),
                               progress);
    gtk_stack_page_set_visible(gtk_stack_get_page(self->stack, GTK_WIDGET(self->rate_plot)), rate);
}

/* ---- numbers ---- */

static void set_or_hide(GtkLabel *label, const char *text) {
    gtk_label_set_text(label, text);
    gtk_widget_set_visible(GTK_WIDGET(label), *text != '\0');
}

static gboolean on_pulse(gpointer userdata) {
    TaskProgress *self = userdata;

    gtk_progress_bar_pulse(self->bar);
    return G_SOURCE_CONTINUE;
}

static void set_pulsing(TaskProgress *self, gboolean pulsing) {
    if (pulsing && !self->pulse)
        self->pulse = g_timeout_add(PULSE_MSEC, on_pulse, self);
    else if (!pulsing)
        g_clear_handle_id(&self->pulse, g_source_remove);
}

static void show_bar(TaskProgress *self, TaskProps *props) {
    double progress = task_props_double(props, "Progress");
    TaskState state = task_props_state(props);
    gboolean pulsing = progress < 0 && (state == TASK_RUNNING || state == TASK_STARTING);

    set_pulsing(self, pulsing && gtk_widget_get_mapped(GTK_WIDGET(self)));
    if (!pulsing)
        gtk_progress_bar_set_fraction(self->bar, CLAMP(progress, 0, 1));
}

static char *pace(TaskProps *props) {
    g_autofree char *count = task_words_count(props), *rate = task_words_rate(props);

    if (*count && *rate)
        /* Translators: "3 of 8 · 1.5/s" */
        return g_strdup_printf(_("%s · %s"), count, rate);
    return g_strdup(*count ? count : rate);
}

static void show_numbers(TaskProgress *self, TaskProps *props) {
    g_autofree char *percent = task_words_percent(props), *text = pace(props);
    g_autofree char *left = task_words_left(props, g_get_real_time());

    gtk_label_set_text(self->percent, percent);
    gtk_widget_set_visible(self->numbers, *percent != '\0');
    gtk_label_set_text(self->left, left);
    set_or_hide(self->phase, task_props_string(props, "Phase"));
    set_or_hide(self->pace, text);
    gtk_widget_set_visible(self->words, *text || *task_props_string(props, "Phase"));
}

/* Nothing to see before it begins, nor of one that has ended and never told how far it was. */
static gboolean has_something(TaskProps *props) {
    if (task_props_number(props, "StartedAt") == 0 || task_props_is_series(props))
        return FALSE;
    if (!task_props_is_final(props))
        return task_props_state(props) != TASK_WAITING && task_props_state(props) != TASK_QUEUED;
    return *task_props_string(props, "ProgressSource") || task_props_number(props, "Done") > 0;
}

void task_progress_show(TaskProgress *self, TaskDetails *details) {
    TaskProps *props = task_details_get_props(details);
    gboolean visible = has_something(props);

    gtk_widget_set_visible(GTK_WIDGET(self), visible);
    if (!visible) {
        set_pulsing(self, FALSE);
        return;
    }
    show_bar(self, props);
    show_numbers(self, props);
    show_plots(self, details);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    set_pulsing(LONGRUN_TASK_PROGRESS(object), FALSE);
    adw_bin_set_child(ADW_BIN(object), NULL);
    G_OBJECT_CLASS(task_progress_parent_class)->dispose(object);
}

static void on_unmap(GtkWidget *widget) {
    set_pulsing(LONGRUN_TASK_PROGRESS(widget), FALSE);
    GTK_WIDGET_CLASS(task_progress_parent_class)->unmap(widget);
}

static void task_progress_class_init(TaskProgressClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_PLOT);
    G_OBJECT_CLASS(class)->dispose = dispose;
    widget->unmap = on_unmap;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/task/task-progress.ui");
    gtk_widget_class_bind_template_child(widget, TaskProgress, numbers);
    gtk_widget_class_bind_template_child(widget, TaskProgress, percent);
    gtk_widget_class_bind_template_child(widget, TaskProgress, words);
    gtk_widget_class_bind_template_child(widget, TaskProgress, left);
    gtk_widget_class_bind_template_child(widget, TaskProgress, phase);
    gtk_widget_class_bind_template_child(widget, TaskProgress, pace);
    gtk_widget_class_bind_template_child(widget, TaskProgress, bar);
    gtk_widget_class_bind_template_child(widget, TaskProgress, plots);
    gtk_widget_class_bind_template_child(widget, TaskProgress, stack);
    gtk_widget_class_bind_template_child(widget, TaskProgress, switcher);
    gtk_widget_class_bind_template_child(widget, TaskProgress, progress_plot);
    gtk_widget_class_bind_template_child(widget, TaskProgress, rate_plot);
}

static void task_progress_init(TaskProgress *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
