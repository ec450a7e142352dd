#include "client-gtk/widgets/plot.h"

#include <adwaita.h>
#include <math.h>

#include "common/parse.h"

#define MARGIN 2
#define LINES 4
#define TELL_MSEC 1000

struct _Plot {
    GtkWidget parent_instance;

    char *title;
    PlotSeries *series;
    PlotFormat format;
    double limit;
    gboolean binary;
    guint tell; /* source: the summary is told, at most once a second */
};

G_DEFINE_FINAL_TYPE(Plot, plot, GTK_TYPE_WIDGET)

enum {
    PROP_TITLE = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

static char *format_number(double value) {
    return g_strdup_printf("%g", value);
}

/* ---- drawing ---- */

typedef struct Drawing {
    Plot *plot;
    PlotExtent extent;
    double limit, top, width, height; /* height of the area of values, which begins at top */
    gboolean mirrored;
} Drawing;

static GdkRGBA faded(Plot *self, float normal, float high_contrast) {
    AdwStyleManager *style = adw_style_manager_get_default();
    GdkRGBA color = {.alpha = 1};

    gtk_style_context_lookup_color(gtk_widget_get_style_context(GTK_WIDGET(self)),
                                   "window_fg_color", &color);
    color.alpha *= adw_style_manager_get_high_contrast(style) ? high_contrast : normal;
    return color;
}

static double x_of(const Drawing *d, gint64 usec) {
    gint64 span = d->extent.last - d->extent.first;
    double part = span > 0 ? (double)(usec - d->extent.first) / (double)span : 1;

    return MARGIN + (d->mirrored ? 1 - part : part) * (d->width - 2 * MARGIN);
}

static double y_of(const Drawing *d, double value) {
    return d->top + MARGIN + (1 - CLAMP(value / d->limit, 0, 1)) * (d->height - 2 * MARGIN);
}

static void draw_grid(const Drawing *d, GtkSnapshot *snapshot) {
    GdkRGBA color = faded(d->plot, 0.12f, 0.5f);
    graphene_rect_t line;

    for (guint i = 0; i <= LINES; i++) {
        double y = round(y_of(d, d->limit * i / LINES));

        graphene_rect_init(&line, 0, (float)y, (float)d->width, 1);
        gtk_snapshot_append_color(snapshot, &color, &line);
    }
}

/* From one gap to the next; what stands alone is a dot, as a line of no length with round ends is.
 */
static guint draw_stretch(const Drawing *d, cairo_t *cr, guint from, gboolean fill) {
    guint n = plot_series_get_n(d->plot->series), i;
    double first = 0, x = 0;

    for (i = from; i < n; i++) {
        PlotSample sample = plot_series_get(d->plot->series, i);

        if (!isfinite(sample.value))
            break;
        x = x_of(d, sample.usec);
        first = i == from ? x : first;
        cairo_line_to(cr, x, y_of(d, sample.value));
    }
    if (i == from + 1 && !fill)
        cairo_rel_line_to(cr, 0, 0);
    if (fill && i > from) {
        cairo_line_to(cr, x, y_of(d, 0));
        cairo_line_to(cr, first, y_of(d, 0));
        cairo_close_path(cr);
    }
    return i + 1;
}

static void draw_pass(const Drawing *d, cairo_t *cr, gboolean fill) {
    guint n = plot_series_get_n(d->plot->series);

    for (guint i = 0; i < n;) {
        cairo_new_sub_path(cr);
        i = draw_stretch(d, cr, i, fill);
    }
}

static void draw_values(const Drawing *d, GtkSnapshot *snapshot) {
    graphene_rect_t area;
    GdkRGBA color;
    cairo_t *cr;

    graphene_rect_init(&area, 0, 0, (float)d->width, (float)(d->top + d->height));
    cr = gtk_snapshot_append_cairo(snapshot, &area);
    gtk_style_context_get_color(gtk_widget_get_style_context(GTK_WIDGET(d->plot)), &color);
    cairo_set_source_rgba(cr, color.red, color.green, color.blue, color.alpha * 0.2);
    draw_pass(d, cr, TRUE);
    cairo_fill(cr);
    gdk_cairo_set_source_rgba(cr, &color);
    cairo_set_line_width(cr, 2);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    draw_pass(d, cr, FALSE);
    cairo_stroke(cr);
    cairo_destroy(cr);
}

/* ---- words on it ---- */

/* end: at the end of the line as it is read. */
static void draw_text(const Drawing *d, GtkSnapshot *snapshot, const char *text, gboolean end,
                      double y) {
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(d->plot), text);
    GdkRGBA color = faded(d->plot, 0.7f, 1);
    graphene_point_t where;
    int width;

    pango_layout_get_pixel_size(layout, &width, NULL);
    where = GRAPHENE_POINT_INIT(end != d->mirrored ? (float)d->width - (float)width : 0, (float)y);
    gtk_snapshot_save(snapshot);
    gtk_snapshot_translate(snapshot, &where);
    gtk_snapshot_append_layout(snapshot, layout, &color);
    gtk_snapshot_restore(snapshot);
}

static int text_height(Plot *self) {
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(GTK_WIDGET(self), "0");
    int height;

    pango_layout_get_pixel_size(layout, NULL, &height);
    return height;
}

static void draw_words(const Drawing *d, GtkSnapshot *snapshot) {
    g_autofree char *limit = d->plot->format(d->limit), *now = NULL;
    char span[FORMAT_MAX];

    if (d->extent.n == 0)
        return;
    draw_text(d, snapshot, limit, FALSE, 0);
    now = d->plot->format(d->extent.now);
    draw_text(d, snapshot, now, TRUE, 0);
    if (d->extent.last <= d->extent.first)
        return;
    format_span(span, (guint64)(d->extent.last - d->extent.first));
    /* A minus sign: so long ago. */
    g_autofree char *ago = g_strdup_printf("\u2212%s", span);

    draw_text(d, snapshot, ago, FALSE, d->top + d->height);
}

static void plot_snapshot(GtkWidget *widget, GtkSnapshot *snapshot) {
    Plot *self = LONGRUN_PLOT(widget);
    Drawing d = {.plot = self, .width = gtk_widget_get_width(widget), .top = text_height(self)};

    d.height = gtk_widget_get_height(widget) - 2 * d.top;
    d.mirrored = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
    if (self->series)
        d.extent = plot_series_extent(self->series);
    d.limit = self->limit > 0 ? self->limit : plot_nice_limit(d.extent.high, self->binary);
    if (d.height < 4 * MARGIN)
        return;
    draw_grid(&d, snapshot);
    if (d.extent.n > 0)
        draw_values(&d, snapshot);
    draw_words(&d, snapshot);
}

static void plot_measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                         int *natural, int *minimum_baseline, int *natural_baseline) {
    int text = text_height(LONGRUN_PLOT(widget));

    *minimum = orientation == GTK_ORIENTATION_HORIZONTAL ? 8 * text : 4 * text;
    *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 20 * text : 7 * text;
    *minimum_baseline = *natural_baseline = -1;
}

/* ---- for who cannot see it ---- */

static void tell(Plot *self) {
    g_autofree char *text =
        self->series ? plot_series_describe(self->series, self->format) : g_strdup("");

    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   self->title ? self->title : "",
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
    gtk_widget_set_tooltip_text(GTK_WIDGET(self), text);
}

static gboolean on_tell(gpointer userdata) {
    Plot *self = userdata;

    self->tell = 0;
    tell(self);
    return G_SOURCE_REMOVE;
}

static void on_changed(Plot *self) {
    gtk_widget_queue_draw(GTK_WIDGET(self));
    if (!self->tell)
        self->tell = g_timeout_add(TELL_MSEC, on_tell, self);
}

/* ---- what it shows ---- */

void plot_set_title(Plot *self, const char *title) {
    g_free(self->title);
    self->title = g_strdup(title);
    tell(self);
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TITLE]);
}

void plot_set_series(Plot *self, PlotSeries *series) {
    if (self->series == series)
        return;
    if (self->series)
        g_signal_handlers_disconnect_by_data(self->series, self);
    g_set_object(&self->series, series);
    if (series)
        g_signal_connect_swapped(series, "changed", G_CALLBACK(on_changed), self);
    tell(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void plot_set_format(Plot *self, PlotFormat format) {
    self->format = format ? format : format_number;
    tell(self);
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

void plot_set_limit(Plot *self, double limit, gboolean binary) {
    self->limit = limit;
    self->binary = binary;
    gtk_widget_queue_draw(GTK_WIDGET(self));
}

/* ---- the object ---- */

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec) {
    if (id == PROP_TITLE)
        plot_set_title(LONGRUN_PLOT(object), g_value_get_string(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_TITLE)
        g_value_set_string(value, LONGRUN_PLOT(object)->title);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void dispose(GObject *object) {
    Plot *self = LONGRUN_PLOT(object);

    g_clear_handle_id(&self->tell, g_source_remove);
    if (self->series)
        g_signal_handlers_disconnect_by_data(self->series, self);
    g_clear_object(&self->series);
    G_OBJECT_CLASS(plot_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_free(LONGRUN_PLOT(object)->title);
    G_OBJECT_CLASS(plot_parent_class)->finalize(object);
}

static void plot_class_init(PlotClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->set_property = set_property;
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget->snapshot = plot_snapshot;
    widget->measure = plot_measure;
    properties[PROP_TITLE] =
        g_param_spec_string("title", NULL, NULL, NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
    gtk_widget_class_set_css_name(widget, "plot");
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_IMG);
}

static void plot_init(Plot *self) {
    self->format = format_number;
}

GtkWidget *plot_new(const char *title) {
    return g_object_new(LONGRUN_TYPE_PLOT, "title", title, NULL);
}
