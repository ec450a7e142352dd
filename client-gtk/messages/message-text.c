#include "client-gtk/messages/message-text.h"

#include "client-gtk/messages/text-cut.h"

/* Pixels: wide enough for a word, and narrow enough to read. */
#define MIN_WIDTH 80
#define MAX_WIDTH 480

/* Characters: what is one word takes a time that grows with the square of it. */
#define PIECE 1000

struct _MessageText {
    GtkWidget parent_instance;

    GPtrArray *layouts; /* of the pieces, one below the other */
    int natural;        /* width without wrapping */
};

G_DEFINE_FINAL_TYPE(MessageText, message_text, GTK_TYPE_WIDGET)

/* ---- layout ---- */

static int piece_height(PangoLayout *layout, int width) {
    int height;

    pango_layout_set_width(layout, width * PANGO_SCALE);
    pango_layout_get_pixel_size(layout, NULL, &height);
    return height;
}

static int all_height(MessageText *self, int width) {
    int height = 0;

    for (guint i = 0; i < self->layouts->len; i++)
        height += piece_height(self->layouts->pdata[i], width);
    return height;
}

static int natural_width(MessageText *self) {
    int width, all = 0;

    for (guint i = 0; i < self->layouts->len && all < MAX_WIDTH; i++) {
        PangoLayout *layout = self->layouts->pdata[i];
        pango_layout_set_width(layout, -1);
        pango_layout_get_pixel_size(layout, &width, NULL);
        all = MAX(all, width);
    }
    return MIN(all, MAX_WIDTH);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline) {
    MessageText *self = LONGRUN_MESSAGE_TEXT(widget);

    if (self->natural < 0)
        self->natural = natural_width(self);
    if (orientation == GTK_ORIENTATION_HORIZONTAL) {
        *minimum = MIN(self->natural, MIN_WIDTH);
        *natural = self->natural;
    } else
        /* It does not get more than the natural width, however wide the row is that asks. */
        *minimum = *natural =
            all_height(self, for_size < 0 ? self->natural : MIN(for_size, self->natural));
}

static GtkSizeRequestMode get_request_mode(GtkWidget *widget) {
    return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot) {
    MessageText *self = LONGRUN_MESSAGE_TEXT(widget);
    int height = 0, width = gtk_widget_get_width(widget);
    GdkRGBA color;

    gtk_style_context_get_color(gtk_widget_get_style_context(widget), &color);
    for (guint i = 0; i < self->layouts->len; i++) {
        gtk_snapshot_save(snapshot);
        gtk_snapshot_translate(snapshot, &GRAPHENE_POINT_INIT(0, (float)height));
        height += piece_height(self->layouts->pdata[i], width);
        gtk_snapshot_append_layout(snapshot, self->layouts->pdata[i], &color);
        gtk_snapshot_restore(snapshot);
    }
}

/* ---- what it shows ---- */

/* Another font, another direction. */
static void lay_out_anew(MessageText *self) {
    for (guint i = 0; i < self->layouts->len; i++)
        pango_layout_context_changed(self->layouts->pdata[i]);
    self->natural = -1;
    gtk_widget_queue_resize(GTK_WIDGET(self));
}

static void css_changed(GtkWidget *widget, GtkCssStyleChange *change) {
    GTK_WIDGET_CLASS(message_text_parent_class)->css_changed(widget, change);
    lay_out_anew(LONGRUN_MESSAGE_TEXT(widget));
}

static void direction_changed(GtkWidget *widget, GtkTextDirection before) {
    GTK_WIDGET_CLASS(message_text_parent_class)->direction_changed(widget, before);
    lay_out_anew(LONGRUN_MESSAGE_TEXT(widget));
}

/* Where a word is cut there is no hyphen: it may be a number, or an address. */
static PangoLayout *layout_of(MessageText *self, const char *piece) {
    PangoLayout *layout = gtk_widget_create_pango_layout(GTK_WIDGET(self), piece);
    g_autoptr(PangoAttrList) attributes = pango_attr_list_new();

    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(layout, attributes);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    return layout;
}

void message_text_set(MessageText *self, const char *text) {
    g_autoptr(GPtrArray) pieces = text_pieces(text, PIECE);

    g_ptr_array_set_size(self->layouts, 0);
    for (guint i = 0; i < pieces->len; i++)
        g_ptr_array_add(self->layouts, layout_of(self, pieces->pdata[i]));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
    lay_out_anew(self);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    g_ptr_array_unref(LONGRUN_MESSAGE_TEXT(object)->layouts);
    G_OBJECT_CLASS(message_text_parent_class)->finalize(object);
}

static void message_text_class_init(MessageTextClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = finalize;
    widget->measure = measure;
    widget->get_request_mode = get_request_mode;
    widget->snapshot = snapshot;
    widget->css_changed = css_changed;
    widget->direction_changed = direction_changed;
    gtk_widget_class_set_css_name(widget, "messagetext");
    gtk_widget_class_set_accessible_role(widget, GTK_ACCESSIBLE_ROLE_LABEL);
}

static void message_text_init(MessageText *self) {
    self->layouts = g_ptr_array_new_with_free_func(g_object_unref);
    self->natural = -1;
}
