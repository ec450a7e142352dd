#include "client-gtk/widgets/late-reveal.h"

/* Until it is carried out, both may go. */
typedef struct LateReveal {
    GWeakRef source;
    GWeakRef bar;
    const char *property; /* of the class: interned */
} LateReveal;

static void late_reveal_free(gpointer userdata) {
    LateReveal *r = userdata;

    g_weak_ref_clear(&r->source);
    g_weak_ref_clear(&r->bar);
    g_free(r);
}

static gboolean on_idle(gpointer userdata) {
    LateReveal *r = userdata;
    g_autoptr(GObject) source = g_weak_ref_get(&r->source);
    g_autoptr(AdwViewSwitcherBar) bar = g_weak_ref_get(&r->bar);
    gboolean reveal;

    if (source && bar) {
        g_object_get(source, r->property, &reveal, NULL);
        adw_view_switcher_bar_set_reveal(bar, reveal);
    }
    return G_SOURCE_REMOVE;
}

static void on_changed(GObject *source, GParamSpec *pspec, AdwViewSwitcherBar *bar) {
    LateReveal *r = g_new0(LateReveal, 1);

    g_weak_ref_init(&r->source, source);
    g_weak_ref_init(&r->bar, bar);
    r->property = g_intern_string(g_param_spec_get_name(pspec));
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, on_idle, r, late_reveal_free);
}

void late_reveal_bind(gpointer source, const char *property, AdwViewSwitcherBar *bar) {
    g_autofree char *signal = g_strconcat("notify::", property, NULL);

    g_signal_connect_object(source, signal, G_CALLBACK(on_changed), bar, 0);
}
