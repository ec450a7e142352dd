#include "client-gtk/start/wrap-layout.h"

struct _WrapLayout {
    GtkLayoutManager parent_instance;

    int spacing;
};

G_DEFINE_FINAL_TYPE(WrapLayout, wrap_layout, GTK_TYPE_LAYOUT_MANAGER)

typedef struct Place {
    int x, y, width, height;
} Place;

/* ---- one after the other ---- */

/* Where the next child goes. line_height: of the line so far. */
static Place next_place(WrapLayout *self, GtkWidget *child, int width, Place last,
                        int *line_height) {
    GtkRequisition size;
    Place place;

    gtk_widget_get_preferred_size(child, NULL, &size);
    place.width = MIN(size.width, width);
    place.height = size.height;
    place.x = last.width < 0 ? 0 : last.x + last.width + self->spacing;
    place.y = last.y;
    if (place.x > 0 && place.x + place.width > width) {
        place.x = 0;
        place.y += *line_height + self->spacing;
        *line_height = 0;
    }
    *line_height = MAX(*line_height, place.height);
    return place;
}

typedef void (*PlaceFunc)(GtkWidget *child, const Place *place, int width);

/* Height of all lines. */
static int for_each(WrapLayout *self, GtkWidget *widget, int width, PlaceFunc func) {
    Place place = {.width = -1};
    int line_height = 0;

    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        if (!gtk_widget_should_layout(child))
            continue;
        place = next_place(self, child, width, place, &line_height);
        if (func)
            func(child, &place, width);
    }
    return place.y + line_height;
}

/* ---- the layout ---- */

static GtkSizeRequestMode get_request_mode(GtkLayoutManager *manager, GtkWidget *widget) {
    return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

/* A child may be narrower than it likes to be, down to its minimum. */
static void measure_width(WrapLayout *self, GtkWidget *widget, int *minimum, int *natural) {
    GtkRequisition least, most;

    *minimum = *natural = 0;
    for (GtkWidget *child = gtk_widget_get_first_child(widget); child;
         child = gtk_widget_get_next_sibling(child)) {
        gtk_widget_get_preferred_size(child, &least, &most);
        *minimum = MAX(*minimum, least.width);
        *natural += most.width + (*natural > 0 ? self->spacing : 0);
    }
}

static void measure(GtkLayoutManager *manager, GtkWidget *widget, GtkOrientation orientation,
                    int for_size, int *minimum, int *natural, int *minimum_baseline,
                    int *natural_baseline) {
    WrapLayout *self = LONGRUN_WRAP_LAYOUT(manager);

    if (orientation == GTK_ORIENTATION_HORIZONTAL)
        measure_width(self, widget, minimum, natural);
    else
        *minimum = *natural = for_each(self, widget, for_size < 0 ? G_MAXINT : for_size, NULL);
    *minimum_baseline = *natural_baseline = -1;
}

static void place_child(GtkWidget *child, const Place *place, int width) {
    gboolean mirrored = gtk_widget_get_direction(child) == GTK_TEXT_DIR_RTL;
    GtkAllocation allocation = {mirrored ? width - place->x - place->width : place->x, place->y,
                                place->width, place->height};

    gtk_widget_size_allocate(child, &allocation, -1);
}

static void allocate(GtkLayoutManager *manager, GtkWidget *widget, int width, int height,
                     int baseline) {
    for_each(LONGRUN_WRAP_LAYOUT(manager), widget, width, place_child);
}

static void wrap_layout_class_init(WrapLayoutClass *class) {
    GtkLayoutManagerClass *layout = GTK_LAYOUT_MANAGER_CLASS(class);

    layout->get_request_mode = get_request_mode;
    layout->measure = measure;
    layout->allocate = allocate;
}

static void wrap_layout_init(WrapLayout *self) {
}

GtkLayoutManager *wrap_layout_new(int spacing) {
    WrapLayout *self = g_object_new(LONGRUN_TYPE_WRAP_LAYOUT, NULL);

    self->spacing = spacing;
    return GTK_LAYOUT_MANAGER(self);
}
