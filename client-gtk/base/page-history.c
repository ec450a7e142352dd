#include "client-gtk/base/page-history.h"

struct PageHistory {
    GArray *ids; /* of guint64 */
};

PageHistory *page_history_new(void) {
    PageHistory *h = g_new0(PageHistory, 1);

    h->ids = g_array_new(FALSE, FALSE, sizeof(guint64));
    return h;
}

void page_history_free(PageHistory *h) {
    g_array_unref(h->ids);
    g_free(h);
}

guint64 page_history_current(const PageHistory *h) {
    return h->ids->len ? g_array_index(h->ids, guint64, h->ids->len - 1) : 0;
}

gboolean page_history_go(PageHistory *h, guint64 id) {
    if (id == page_history_current(h))
        return FALSE;
    if (h->ids->len == PAGE_HISTORY_MAX)
        g_array_remove_index(h->ids, 0);
    g_array_append_val(h->ids, id);
    return TRUE;
}

guint64 page_history_back(PageHistory *h) {
    if (h->ids->len)
        g_array_set_size(h->ids, h->ids->len - 1);
    return page_history_current(h);
}

void page_history_clear(PageHistory *h) {
    g_array_set_size(h->ids, 0);
}
