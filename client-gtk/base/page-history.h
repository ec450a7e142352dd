#pragma once

#include <glib.h>

/* The way back: ids of the tasks whose pages one came by, the shown one last. Bounded: of a long
 * way the first steps are forgotten. */
typedef struct PageHistory PageHistory;

#define PAGE_HISTORY_MAX 100

PageHistory *page_history_new(void);
void page_history_free(PageHistory *h);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PageHistory, page_history_free)

/* Goes on to a task. FALSE: it is the shown one already. */
gboolean page_history_go(PageHistory *h, guint64 id);

/* Goes back; the id that is shown then, 0 when there is none left: the lists. */
guint64 page_history_back(PageHistory *h);

/* The shown one, 0 for none. */
guint64 page_history_current(const PageHistory *h);

void page_history_clear(PageHistory *h);
