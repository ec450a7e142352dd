#include "client-gtk/demo/demo-countdown.h"

#include <glib/gi18n.h>

#include "client-gtk/demo/demo-run.h"
#include "client-gtk/demo/demo-words.h"
#include "client-gtk/widgets/toast.h"

#define PARAMS "{\"steps\": 8, \"step_ms\": 1000}"

/* A message to the task is a line of its log, and anybody can send them. */
#define LOG_LINES_MAX 1000

struct _DemoCountdown {
    AdwBin parent_instance;

    GtkLabel *status;
    GtkProgressBar *bar;
    GtkButton *counter;
    GtkTextView *log;

    DaemonLink *link;
    DemoRun *run;
    char *text;  /* the status, without the time */
    guint count; /* of the counter */
    guint ticks; /* source, while the task is active */
};

G_DEFINE_FINAL_TYPE(DemoCountdown, demo_countdown, ADW_TYPE_BIN)

/* ---- log ---- */

/* As much as a day of it. */
static void forget_first_lines(GtkTextBuffer *buffer) {
    int surplus = gtk_text_buffer_get_line_count(buffer) - LOG_LINES_MAX;
    GtkTextIter start, end;

    if (surplus <= 0)
        return;
    gtk_text_buffer_get_start_iter(buffer, &start);
    gtk_text_buffer_get_iter_at_line(buffer, &end, surplus);
    gtk_text_buffer_delete(buffer, &start, &end);
}

static void add_log(DemoCountdown *self, const char *text) {
    g_autofree char *line = demo_words_log_line(g_get_real_time() / G_USEC_PER_SEC, text);
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->log);
    GtkTextIter end;

    gtk_text_buffer_get_end_iter(buffer, &end);
    if (gtk_text_buffer_get_char_count(buffer) > 0)
        gtk_text_buffer_insert(buffer, &end, "\n", 1);
    gtk_text_buffer_insert(buffer, &end, line, -1);
    forget_first_lines(buffer);
    gtk_text_buffer_get_end_iter(buffer, &end);
    gtk_text_buffer_place_cursor(buffer, &end);
    gtk_text_view_scroll_to_mark(self->log, gtk_text_buffer_get_insert(buffer), 0, FALSE, 0, 0);
}

/* ---- status and progress ---- */

static void show_status(DemoCountdown *self) {
    g_autofree char *text = demo_words_status(self->text, demo_run_get_elapsed_sec(self->run));

    gtk_label_set_text(self->status, text);
}

static void set_text(DemoCountdown *self, const char *text) {
    char *copy = g_strdup(text);

    g_free(self->text);
    self->text = copy;
}

static void show_progress(DemoCountdown *self, double fraction) {
    guint percent = demo_words_percent(fraction);
    g_autofree char *text = g_strdup_printf("%u%%", percent);

    gtk_progress_bar_set_fraction(self->bar, percent / 100.0);
    gtk_progress_bar_set_text(self->bar, text);
}

static void show_actions(DemoCountdown *self) {
    gboolean there = daemon_link_get_state(self->link) == DAEMON_RUNNING;
    gboolean active = demo_run_is_active(self->run);
    GtkWidget *widget = GTK_WIDGET(self);

    gtk_widget_action_set_enabled(widget, "countdown.start", there && !active);
    gtk_widget_action_set_enabled(widget, "countdown.cancel", there && active);
    gtk_widget_action_set_enabled(widget, "countdown.show", demo_run_get_id(self->run) != 0);
}

static gboolean on_tick(gpointer userdata) {
    show_status(userdata);
    return G_SOURCE_CONTINUE;
}

/* ---- what comes of the task ---- */

/* One of another window, or of one that was closed, is gone on with. */
static void on_began(DemoRun *run, gboolean already, DemoCountdown *self) {
    if (already)
        add_log(self, _("The background task is already running"));
    if (!self->ticks)
        self->ticks = g_timeout_add_seconds(1, on_tick, self);
    show_actions(self);
}

static void on_status(DemoRun *run, const char *text, DemoCountdown *self) {
    set_text(self, text);
    show_status(self);
}

static void on_progress(DemoRun *run, double fraction, DemoCountdown *self) {
    show_progress(self, fraction);
}

static void on_log(DemoRun *run, const char *line, DemoCountdown *self) {
    add_log(self, line);
}

static void stop(DemoCountdown *self, const char *status) {
    g_clear_handle_id(&self->ticks, g_source_remove);
    gtk_label_set_text(self->status, status);
    show_actions(self);
}

static void on_ended(DemoRun *run, const char *state, const char *message, const char *result,
                     DemoCountdown *self) {
    stop(self, *message ? message : state);
    add_log(self, _("Task completed or cancelled"));
}

/* A cancel that is not taken does not end the task. */
static void on_failed(DemoRun *run, const char *text, DemoCountdown *self) {
    toast_text(GTK_WIDGET(self), text);
    add_log(self, text);
    if (!demo_run_is_active(run))
        stop(self, _("Ready to start task"));
}

/* ---- actions ---- */

static void on_start(GtkWidget *widget, const char *action, GVariant *unused) {
    DemoCountdown *self = LONGRUN_DEMO_COUNTDOWN(widget);

    show_progress(self, 0);
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(self->log), "", 0);
    add_log(self, _("Background task started"));
    demo_run_start(self->run, _("Background task"), PARAMS, FALSE);
    show_actions(self);
}

static void on_cancel(GtkWidget *widget, const char *action, GVariant *unused) {
    DemoCountdown *self = LONGRUN_DEMO_COUNTDOWN(widget);

    add_log(self, _("Cancellation requested..."));
    demo_run_cancel(self->run);
}

static void show_count(DemoCountdown *self) {
    /* Translators: how often the button was pressed */
    g_autofree char *text = g_strdup_printf(_("UI Test Counter (%u)"), self->count);

    gtk_button_set_label(self->counter, text);
}

static void on_count(GtkWidget *widget, const char *action, GVariant *unused) {
    LONGRUN_DEMO_COUNTDOWN(widget)->count++;
    show_count(LONGRUN_DEMO_COUNTDOWN(widget));
}

static void on_show(GtkWidget *widget, const char *action, GVariant *unused) {
    guint64 id = demo_run_get_id(LONGRUN_DEMO_COUNTDOWN(widget)->run);

    gtk_widget_activate_action(widget, "app.show-task", "t", id);
}

/* ---- the object ---- */

static void on_link(DemoCountdown *self) {
    if (daemon_link_get_state(self->link) == DAEMON_RUNNING && !demo_run_is_active(self->run))
        demo_run_find(self->run);
    show_actions(self);
}

static void connect_run(DemoCountdown *self) {
    g_signal_connect_object(self->run, "began", G_CALLBACK(on_began), self, 0);
    g_signal_connect_object(self->run, "status", G_CALLBACK(on_status), self, 0);
    g_signal_connect_object(self->run, "progress", G_CALLBACK(on_progress), self, 0);
    g_signal_connect_object(self->run, "log", G_CALLBACK(on_log), self, 0);
    g_signal_connect_object(self->run, "ended", G_CALLBACK(on_ended), self, 0);
    g_signal_connect_object(self->run, "failed", G_CALLBACK(on_failed), self, 0);
}

void demo_countdown_set_link(DemoCountdown *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    self->run = demo_run_new(link, "countdown", "longrun-demo-countdown");
    connect_run(self);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_link), self, G_CONNECT_SWAPPED);
    on_link(self);
}

static void dispose(GObject *object) {
    DemoCountdown *self = LONGRUN_DEMO_COUNTDOWN(object);

    g_clear_handle_id(&self->ticks, g_source_remove);
    g_clear_object(&self->run);
    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(demo_countdown_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_free(LONGRUN_DEMO_COUNTDOWN(object)->text);
    G_OBJECT_CLASS(demo_countdown_parent_class)->finalize(object);
}

static void demo_countdown_class_init(DemoCountdownClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/demo/demo-countdown.ui");
    gtk_widget_class_bind_template_child(widget, DemoCountdown, status);
    gtk_widget_class_bind_template_child(widget, DemoCountdown, bar);
    gtk_widget_class_bind_template_child(widget, DemoCountdown, counter);
    gtk_widget_class_bind_template_child(widget, DemoCountdown, log);
    gtk_widget_class_install_action(widget, "countdown.start", NULL, on_start);
    gtk_widget_class_install_action(widget, "countdown.cancel", NULL, on_cancel);
    gtk_widget_class_install_action(widget, "countdown.count", NULL, on_count);
    gtk_widget_class_install_action(widget, "countdown.show", NULL, on_show);
}

static void demo_countdown_init(DemoCountdown *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    set_text(self, _("Ready to start task"));
    show_count(self);
}
