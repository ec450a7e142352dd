#include "client-gtk/demo/demo-compute.h"

#include <glib/gi18n.h>

#include "client-gtk/demo/demo-run.h"
#include "client-gtk/demo/demo-words.h"
#include "client-gtk/widgets/toast.h"

struct _DemoCompute {
    AdwBin parent_instance;

    GtkSwitch *process, *error;
    GtkLabel *status;
    GtkWidget *result;
    AdwActionRow *value, *uuid, *duration, *iterations;

    DaemonLink *link;
    DemoRun *run;
    char *text;  /* the status, without the time */
    guint ticks; /* source, while the task is active */
};

G_DEFINE_FINAL_TYPE(DemoCompute, demo_compute, ADW_TYPE_BIN)

/* ---- what comes of the task ---- */

static void show_status(DemoCompute *self) {
    g_autofree char *text = demo_words_status(self->text, demo_run_get_elapsed_sec(self->run));

    gtk_label_set_text(self->status, text);
}

static gboolean on_tick(gpointer userdata) {
    show_status(userdata);
    return G_SOURCE_CONTINUE;
}

static void on_status(DemoRun *run, const char *text, DemoCompute *self) {
    g_free(self->text);
    self->text = g_strdup(text);
    show_status(self);
}

static void warn(DemoCompute *self) {
    toast_text(GTK_WIDGET(self), _("The task is already running"));
}

static void on_began(DemoRun *run, gboolean already, DemoCompute *self) {
    if (already)
        warn(self);
    gtk_widget_set_visible(self->result, FALSE);
    if (!self->ticks)
        self->ticks = g_timeout_add_seconds(1, on_tick, self);
}

static void stop(DemoCompute *self, const char *text) {
    g_clear_handle_id(&self->ticks, g_source_remove);
    gtk_label_set_text(self->status, text);
}

static void on_ended(DemoRun *run, const char *state, const char *message, const char *json,
                     DemoCompute *self) {
    g_auto(DemoResult) result = {0};
    gboolean has_result = demo_result_read(json, &result);

    stop(self, *message ? message : state);
    gtk_widget_set_visible(self->result, has_result);
    if (!has_result)
        return;
    adw_action_row_set_subtitle(self->value, result.value);
    adw_action_row_set_subtitle(self->uuid, result.uuid);
    adw_action_row_set_subtitle(self->duration, result.duration);
    adw_action_row_set_subtitle(self->iterations, result.iterations);
}

static void on_failed(DemoRun *run, const char *text, DemoCompute *self) {
    stop(self, text);
}

/* ---- actions ---- */

/* It can be pressed at any time, and says so when that is one too many. */
static void on_start(GtkWidget *widget, const char *action, GVariant *unused) {
    DemoCompute *self = LONGRUN_DEMO_COMPUTE(widget);
    g_autofree char *params =
        g_strdup_printf("{\"seconds\": 3, \"force_error\": %s}",
                        gtk_switch_get_active(self->error) ? "true" : "false");

    if (demo_run_is_active(self->run))
        warn(self);
    else
        demo_run_start(self->run, _("Compute e"), params, gtk_switch_get_active(self->process));
}

/* ---- the object ---- */

static void on_link(DemoCompute *self) {
    gboolean there = daemon_link_get_state(self->link) == DAEMON_RUNNING;

    if (there && !demo_run_is_active(self->run))
        demo_run_find(self->run);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "compute.start", there);
}

void demo_compute_set_link(DemoCompute *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    self->run = demo_run_new(link, "compute-e", "longrun-demo-compute-e");
    g_signal_connect_object(self->run, "began", G_CALLBACK(on_began), self, 0);
    g_signal_connect_object(self->run, "status", G_CALLBACK(on_status), self, 0);
    g_signal_connect_object(self->run, "ended", G_CALLBACK(on_ended), self, 0);
    g_signal_connect_object(self->run, "failed", G_CALLBACK(on_failed), self, 0);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_link), self, G_CONNECT_SWAPPED);
    on_link(self);
}

static void dispose(GObject *object) {
    DemoCompute *self = LONGRUN_DEMO_COMPUTE(object);

    g_clear_handle_id(&self->ticks, g_source_remove);
    g_clear_object(&self->run);
    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(demo_compute_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_free(LONGRUN_DEMO_COMPUTE(object)->text);
    G_OBJECT_CLASS(demo_compute_parent_class)->finalize(object);
}

static void demo_compute_class_init(DemoComputeClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/demo/demo-compute.ui");
    gtk_widget_class_bind_template_child(widget, DemoCompute, process);
    gtk_widget_class_bind_template_child(widget, DemoCompute, error);
    gtk_widget_class_bind_template_child(widget, DemoCompute, status);
    gtk_widget_class_bind_template_child(widget, DemoCompute, result);
    gtk_widget_class_bind_template_child(widget, DemoCompute, value);
    gtk_widget_class_bind_template_child(widget, DemoCompute, uuid);
    gtk_widget_class_bind_template_child(widget, DemoCompute, duration);
    gtk_widget_class_bind_template_child(widget, DemoCompute, iterations);
    gtk_widget_class_install_action(widget, "compute.start", NULL, on_start);
}

static void demo_compute_init(DemoCompute *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    self->text = g_strdup(_("Computing"));
}
