#include "client-gtk/start/time-chooser.h"

struct _TimeChooser {
    GtkPopover parent_instance;

    GtkCalendar *calendar;
    GtkSpinButton *hour, *minute;
};

G_DEFINE_FINAL_TYPE(TimeChooser, time_chooser, GTK_TYPE_POPOVER)

enum {
    CHOSEN,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

static void on_choose(TimeChooser *self) {
    g_autoptr(GDateTime) day = gtk_calendar_get_date(self->calendar);
    g_autofree char *date = g_date_time_format(day, "%Y-%m-%d");
    g_autofree char *text =
        g_strdup_printf("%s %02d:%02d", date, gtk_spin_button_get_value_as_int(self->hour),
                        gtk_spin_button_get_value_as_int(self->minute));

    gtk_popover_popdown(GTK_POPOVER(self));
    g_signal_emit(self, signals[CHOSEN], 0, text);
}

/* The next full hour. */
static void on_map(GtkWidget *widget) {
    TimeChooser *self = LONGRUN_TIME_CHOOSER(widget);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autoptr(GDateTime) next = g_date_time_add_hours(now, 1);

    gtk_calendar_select_day(self->calendar, next);
    gtk_spin_button_set_value(self->hour, g_date_time_get_hour(next));
    gtk_spin_button_set_value(self->minute, 0);
    GTK_WIDGET_CLASS(time_chooser_parent_class)->map(widget);
}

/* "05" */
static gboolean on_output(GtkSpinButton *button) {
    g_autofree char *text = g_strdup_printf("%02d", gtk_spin_button_get_value_as_int(button));

    if (g_strcmp0(text, gtk_editable_get_text(GTK_EDITABLE(button))) != 0)
        gtk_editable_set_text(GTK_EDITABLE(button), text);
    return TRUE;
}

static void time_chooser_class_init(TimeChooserClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    widget->map = on_map;
    signals[CHOSEN] = g_signal_new("chosen", LONGRUN_TYPE_TIME_CHOOSER, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/start/time-chooser.ui");
    gtk_widget_class_bind_template_child(widget, TimeChooser, calendar);
    gtk_widget_class_bind_template_child(widget, TimeChooser, hour);
    gtk_widget_class_bind_template_child(widget, TimeChooser, minute);
    gtk_widget_class_bind_template_callback(widget, on_choose);
}

static void time_chooser_init(TimeChooser *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->hour, "output", G_CALLBACK(on_output), NULL);
    g_signal_connect(self->minute, "output", G_CALLBACK(on_output), NULL);
}

GtkWidget *time_chooser_new(void) {
    return g_object_new(LONGRUN_TYPE_TIME_CHOOSER, NULL);
}
