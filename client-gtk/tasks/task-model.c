#include "client-gtk/tasks/task-model.h"

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/tasks/task-cache.h"
#include "client-gtk/tasks/task-pages.h"

#define FIRST_LIMIT 100u
#define SHOWN_LIMIT 100u
#define RATES_LIMIT 200u
#define IDS_LIMIT 1000u
#define DOUBT_DELAY_MSEC 300
#define FRESH_DELAY_MSEC 150
#define AGAIN_DELAY_MSEC 3000
/* Removals that lie apart are told one by one: so many at a time, with pauses, for a list may lose
 * every other one of thousands. */
#define SLICE_DELAY_MSEC 10
#define SLICE_USEC 4000

struct _TaskModel {
    GObject parent_instance;

    DbusManager *manager; /* NULL: gone */
    TaskQuery query;
    TaskModelStatus status;
    char *error;
    TaskPages *pages;
    TaskIndex *index;
    TaskCache *cache;
    GHashTable *shown; /* TaskItem, with a reference, to the number of its rows */
    GHashTable *plans; /* id to TaskPlan */

    gboolean is_new; /* no page for this query has come: what is listed is of another one */
    guint64 older;   /* from this id on down nothing is known; 0: all is */
    guint64 doubt_top, doubt_bottom; /* ids between them are to be asked for; 0: none */
    GArray *dropped;                 /* ids that are gone, but still listed */
    guint doubt_timer, shown_timer, again_timer, drop_timer;
};

static void list_model_init(GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE(TaskModel, task_model, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, list_model_init))

enum {
    PROP_STATUS = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

static void set_status(TaskModel *self, TaskModelStatus status, const char *error) {
    g_free(self->error);
    self->error = g_strdup(error ? error : "");
    self->status = status;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_STATUS]);
}

/* ---- the list ---- */

static GType get_item_type(GListModel *model) {
    return LONGRUN_TYPE_TASK_ITEM;
}

static guint get_n_items(GListModel *model) {
    return task_index_size(LONGRUN_TASK_MODEL(model)->index);
}

static gpointer get_item(GListModel *model, guint position) {
    TaskModel *self = LONGRUN_TASK_MODEL(model);

    if (position >= task_index_size(self->index))
        return NULL;
    TaskEntry e = task_index_at(self->index, position);
    TaskItem *item = task_cache_get(self->cache, e.id, e.state);
    task_item_set_plan(item, GPOINTER_TO_INT(g_hash_table_lookup(self->plans, &e.id)));
    return item;
}

static void list_model_init(GListModelInterface *interface) {
    interface->get_item_type = get_item_type;
    interface->get_n_items = get_n_items;
    interface->get_item = get_item;
}

static void on_index_changed(gpointer userdata, guint position, guint removed, guint added) {
    g_list_model_items_changed(userdata, position, removed, added);
}

TaskEntry task_model_entry(TaskModel *self, guint position) {
    return task_index_at(self->index, position);
}

gboolean task_model_find(TaskModel *self, guint64 id, guint *ret_position) {
    return task_index_find(self->index, id, ret_position);
}

/* ---- asking ---- */

static gboolean start_timer(guint *timer, guint msec, GSourceFunc func, gpointer userdata) {
    if (*timer > 0)
        return FALSE;
    *timer = g_timeout_add(msec, func, userdata);
    return TRUE;
}

static void ask_older(TaskModel *self) {
    guint n = task_index_size(self->index);

    if (n >= LONGRUN_TASK_MODEL_MAX)
        self->older = 0;
    if (self->older > 0 && task_pages_is_free(self->pages, TASK_PAGE_OLDER))
        task_pages_ask(self->pages, TASK_PAGE_OLDER, &self->query, self->older,
                       MIN(IDS_LIMIT, LONGRUN_TASK_MODEL_MAX - n));
}

static gboolean ask_doubt(gpointer userdata) {
    TaskModel *self = userdata;

    self->doubt_timer = 0;
    if (self->doubt_top > 0 && task_pages_is_free(self->pages, TASK_PAGE_DOUBT))
        task_pages_ask(self->pages, TASK_PAGE_DOUBT, &self->query, self->doubt_top, IDS_LIMIT);
    return G_SOURCE_REMOVE;
}

static void doubt(TaskModel *self, guint64 id) {
    if (self->doubt_top == 0)
        self->doubt_bottom = id;
    self->doubt_top = MAX(self->doubt_top, id);
    self->doubt_bottom = MIN(self->doubt_bottom, id);
    start_timer(&self->doubt_timer, DOUBT_DELAY_MSEC, ask_doubt, self);
}

/* Positions of the rows that are shown and not known as they are. */
typedef struct Wanted {
    guint first, last, n;
} Wanted;

static Wanted find_wanted(TaskModel *self) {
    Wanted wanted = {.first = G_MAXUINT};
    GHashTableIter iter;
    gpointer item;
    guint position;

    g_hash_table_iter_init(&iter, self->shown);
    while (g_hash_table_iter_next(&iter, &item, NULL)) {
        const TaskFacts *f = task_item_facts(item);
        if (f->is_fresh || !task_index_find(self->index, f->id, &position))
            continue;
        wanted.first = MIN(wanted.first, position);
        wanted.last = MAX(wanted.last, position);
        wanted.n++;
    }
    return wanted;
}

static gboolean ask_shown(gpointer userdata) {
    TaskModel *self = userdata;
    Wanted wanted;

    self->shown_timer = 0;
    if (self->is_new || !task_pages_is_free(self->pages, TASK_PAGE_SHOWN))
        return G_SOURCE_REMOVE;
    wanted = find_wanted(self);
    if (wanted.n > 0)
        task_pages_ask(self->pages, TASK_PAGE_SHOWN, &self->query,
                       task_index_at(self->index, wanted.first).id,
                       MIN(wanted.last - wanted.first + 1, SHOWN_LIMIT));
    return G_SOURCE_REMOVE;
}

/* One that nothing is known of is asked for at once: people see an empty row. */
static void want(TaskModel *self, TaskItem *item) {
    const TaskFacts *f = task_item_facts(item);

    if (f->is_fresh || !g_hash_table_contains(self->shown, item))
        return;
    if (!f->is_known)
        g_clear_handle_id(&self->shown_timer, g_source_remove);
    start_timer(&self->shown_timer, f->is_known ? FRESH_DELAY_MSEC : 0, ask_shown, self);
}

static void ask_first(TaskModel *self) {
    if (task_pages_is_free(self->pages, TASK_PAGE_FIRST))
        task_pages_ask(self->pages, TASK_PAGE_FIRST, &self->query, G_MAXUINT64, FIRST_LIMIT);
}

static gboolean on_again(gpointer userdata) {
    TaskModel *self = userdata;

    self->again_timer = 0;
    task_model_reload(self);
    return G_SOURCE_REMOVE;
}

/* ---- answers ---- */

static guint64 id_of(GVariant *task) {
    guint64 id = 0;

    g_variant_lookup(task, "id", "t", &id);
    return id;
}

static TaskEntry entry_of(GVariant *task) {
    TaskEntry e = {.id = id_of(task), .state = _TASK_STATE_INVALID};
    const char *state;

    if (g_variant_lookup(task, "state", "&s", &state))
        e.state = task_state_from_string(state);
    return e;
}

/* FALSE: the daemon does not keep to what it says about pages. */
static gboolean read_entries(const TaskPage *page, GArray *entries) {
    guint64 above = page->top == G_MAXUINT64 ? page->top : page->top + 1;
    gsize n = g_variant_n_children(page->tasks);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) task = g_variant_get_child_value(page->tasks, i);
        TaskEntry e = entry_of(task);
        if (e.id >= above || e.id <= page->bottom)
            return FALSE;
        above = e.id;
        g_array_append_val(entries, e);
    }
    return TRUE;
}

/* Of none there is no first one to point to. */
static const TaskEntry *first_of(const GArray *entries) {
    return entries->len > 0 ? &g_array_index(entries, TaskEntry, 0) : NULL;
}

static void take_entries(TaskModel *self, const TaskPage *page, guint64 bottom) {
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(TaskEntry));

    if (!read_entries(page, entries)) {
        g_message("The daemon's page of tasks is not in order, ignoring.");
        return;
    }
    task_index_replace(self->index, page->top, bottom, first_of(entries), entries->len);
}

static void take_facts(TaskModel *self, GVariant *tasks) {
    gsize n = g_variant_n_children(tasks);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) task = g_variant_get_child_value(tasks, i);
        TaskItem *item = task_cache_peek(self->cache, id_of(task));
        if (item)
            task_item_load(item, task);
    }
}

/* The items must live until their rows are told of. */
static void take_first(TaskModel *self, const TaskPage *page) {
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(g_object_unref);
    gsize n = g_variant_n_children(page->tasks);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) task = g_variant_get_child_value(page->tasks, i);
        TaskEntry e = entry_of(task);
        g_ptr_array_add(items, task_cache_get(self->cache, e.id, e.state));
    }
    take_facts(self, page->tasks);
    take_entries(self, page, self->is_new ? 0 : page->bottom);
    self->is_new = FALSE;
    self->older = page->bottom;
    set_status(self, TASK_MODEL_READY, NULL);
    ask_older(self);
    ask_shown(self);
}

static void take_older(TaskModel *self, const TaskPage *page) {
    take_entries(self, page, page->bottom);
    self->older = page->bottom;
    ask_older(self);
    if (self->older == 0)
        g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_STATUS]);
}

static void take_doubt(TaskModel *self, const TaskPage *page) {
    take_entries(self, page, page->bottom);
    /* If there is more doubt above by now, it begins again from there. */
    if (self->doubt_top == page->top)
        self->doubt_top = page->bottom >= self->doubt_bottom ? page->bottom : 0;
    if (self->doubt_top > 0)
        start_timer(&self->doubt_timer, 0, ask_doubt, self);
}

static void fail(TaskModel *self, const GError *error) {
    g_autofree char *text = daemon_error_text(error);

    set_status(self, TASK_MODEL_FAILED, text);
    start_timer(&self->again_timer, AGAIN_DELAY_MSEC, on_again, self);
}

static void on_page(gpointer userdata, TaskPageSort sort, const TaskPage *page,
                    const GError *error) {
    TaskModel *self = userdata;

    if (error)
        fail(self, error);
    else if (sort == TASK_PAGE_FIRST)
        take_first(self, page);
    else if (sort == TASK_PAGE_OLDER)
        take_older(self, page);
    else if (sort == TASK_PAGE_DOUBT)
        take_doubt(self, page);
    else
        take_facts(self, page->tasks);
    if (!error && sort == TASK_PAGE_SHOWN) {
        take_entries(self, page, page->bottom);
        ask_shown(self);
    }
}

/* ---- what the daemon tells ---- */

/* Ids, or what begins with one: the newest first. */
static int compare_ids(gconstpointer a, gconstpointer b) {
    guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

    return x > y ? -1 : x < y;
}

/* Lists those that are newer than all: what is new always is, but for what an answer had already.
 */
static void list_newer(TaskModel *self, GArray *entries) {
    guint64 newest =
        task_index_size(self->index) > 0 ? task_index_at(self->index, 0).id : self->older;
    guint n = 0;

    g_array_sort(entries, compare_ids);
    while (n < entries->len && g_array_index(entries, TaskEntry, n).id > newest)
        n++;
    task_index_replace(self->index, G_MAXUINT64, newest, first_of(entries), n);
}

/* Nothing is said about them but that they are there. */
static void on_added(TaskModel *self, GVariant *tasks) {
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(TaskEntry));
    TaskEntry e = {.state = _TASK_STATE_INVALID};
    GVariantIter iter;

    if (self->is_new)
        return;
    g_variant_iter_init(&iter, tasks);
    while (g_variant_iter_next(&iter, "(t&o)", &e.id, NULL)) {
        g_array_append_val(entries, e);
        doubt(self, e.id);
    }
    if (task_query_is_all(&self->query))
        list_newer(self, entries);
}

/* A task that is in a new state may begin or cease to match. */
static void place(TaskModel *self, guint64 id, TaskState state) {
    guint position;
    gboolean is_listed = task_index_find(self->index, id, &position);

    if (!task_query_has_state(&self->query, state)) {
        if (is_listed)
            task_index_remove(self->index, position, 1);
    } else if (is_listed) {
        task_index_set_state(self->index, position, state);
    } else if (self->query.states != 0 && task_query_is_of_states(&self->query) &&
               id > self->older) {
        TaskEntry e = {.id = id, .state = state};
        task_index_replace(self->index, id, id - 1, &e, 1);
    } else if (self->query.states != 0) {
        doubt(self, id);
    }
}

static void change(TaskModel *self, guint64 id, TaskState state, double progress,
                   const char *status) {
    TaskItem *item = task_cache_peek(self->cache, id);

    if (item) {
        task_item_change(item, state, progress, status);
        want(self, item);
        /* It may have ended already, as an answer has told. */
        state = task_item_facts(item)->state;
    }
    if (!self->is_new)
        place(self, id, state);
}

static void on_changed(TaskModel *self, GVariant *tasks) {
    GVariantIter iter;
    const char *state, *status;
    guint64 id;
    double progress;

    g_variant_iter_init(&iter, tasks);
    while (g_variant_iter_next(&iter, "(t&sd&s)", &id, &state, &progress, &status))
        change(self, id, task_state_from_string(state), progress, status);
}

static void on_finished(TaskModel *self, GVariant *tasks) {
    GVariantIter iter;
    const char *state;
    guint64 id;

    g_variant_iter_init(&iter, tasks);
    while (g_variant_iter_next(&iter, "(t&si)", &id, &state, NULL)) {
        TaskItem *item = task_cache_peek(self->cache, id);
        change(self, id, task_state_from_string(state), item ? task_item_facts(item)->progress : -1,
               NULL);
    }
}

/* ---- what is gone ---- */

static int compare_ids_up(gconstpointer a, gconstpointer b) {
    return compare_ids(b, a);
}

/* The rows that lie together from the last of the dropped ids on. */
static void drop_run(TaskModel *self) {
    guint position = 0, at, n = 0;

    for (guint left = self->dropped->len; left > 0; left--) {
        guint64 id = g_array_index(self->dropped, guint64, left - 1);
        gboolean is_listed = task_index_find(self->index, id, &at);
        if (is_listed && n > 0 && at != position + n)
            break;
        if (is_listed && n++ == 0)
            position = at;
        g_array_set_size(self->dropped, left - 1);
    }
    if (n > 0)
        task_index_remove(self->index, position, n);
}

static gboolean drop_some(gpointer userdata) {
    TaskModel *self = userdata;
    gint64 end = g_get_monotonic_time() + SLICE_USEC;

    while (self->dropped->len > 0 && g_get_monotonic_time() < end)
        drop_run(self);
    if (self->dropped->len > 0)
        return G_SOURCE_CONTINUE;
    self->drop_timer = 0;
    return G_SOURCE_REMOVE;
}

static void on_removed(TaskModel *self, GVariant *ids) {
    GVariantIter iter;
    guint64 id;

    g_variant_iter_init(&iter, ids);
    while (g_variant_iter_next(&iter, "t", &id)) {
        g_array_append_val(self->dropped, id);
        g_hash_table_remove(self->plans, &id);
    }
    /* From the end, where the newest is then. */
    g_array_sort(self->dropped, compare_ids_up);
    if (self->drop_timer == 0 && drop_some(self))
        start_timer(&self->drop_timer, SLICE_DELAY_MSEC, drop_some, self);
}

/* ---- asking for all ---- */

static void set_item_stale(TaskItem *item, gpointer unused) {
    task_item_set_stale(item);
}

static void stop_timers(TaskModel *self) {
    g_clear_handle_id(&self->doubt_timer, g_source_remove);
    g_clear_handle_id(&self->shown_timer, g_source_remove);
    g_clear_handle_id(&self->again_timer, g_source_remove);
}

/* All that is due is of before. */
void task_model_reload(TaskModel *self) {
    task_pages_cancel(self->pages);
    stop_timers(self);
    self->doubt_top = 0;
    self->older = G_MAXUINT64;
    task_cache_foreach(self->cache, set_item_stale, NULL);
    ask_first(self);
}

void task_model_refresh(TaskModel *self) {
    task_cache_foreach(self->cache, set_item_stale, NULL);
    start_timer(&self->shown_timer, 0, ask_shown, self);
}

void task_model_set_query(TaskModel *self, guint states, const char *group, const char *text) {
    if (!task_query_set(&self->query, states, group, text))
        return;
    self->is_new = TRUE;
    set_status(self, TASK_MODEL_LOADING, NULL);
    task_model_reload(self);
}

const TaskQuery *task_model_get_query(TaskModel *self) {
    return &self->query;
}

static void disconnect(TaskModel *self) {
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    g_clear_object(&self->manager);
}

static void connect_signals(TaskModel *self) {
    g_object_connect(self->manager, "swapped_signal::tasks-added", on_added, self,
                     "swapped_signal::tasks-changed", on_changed, self,
                     "swapped_signal::tasks-finished", on_finished, self,
                     "swapped_signal::tasks-removed", on_removed, self, NULL);
}

void task_model_set_manager(TaskModel *self, DbusManager *manager) {
    disconnect(self);
    stop_timers(self);
    task_pages_set_manager(self->pages, manager);
    if (!manager)
        return;
    self->manager = g_object_ref(manager);
    connect_signals(self);
    task_model_reload(self);
}

/* ---- what is seen ---- */

void task_model_show(TaskModel *self, TaskItem *item) {
    guint rows = GPOINTER_TO_UINT(g_hash_table_lookup(self->shown, item));

    g_hash_table_replace(self->shown, g_object_ref(item), GUINT_TO_POINTER(rows + 1));
    want(self, item);
}

void task_model_hide(TaskModel *self, TaskItem *item) {
    guint rows = GPOINTER_TO_UINT(g_hash_table_lookup(self->shown, item));

    if (rows > 1)
        g_hash_table_replace(self->shown, g_object_ref(item), GUINT_TO_POINTER(rows - 1));
    else
        g_hash_table_remove(self->shown, item);
}

static gboolean is_at_work(const TaskFacts *f) {
    return f->state >= 0 && (1u << f->state) & TASK_STATES_AT_WORK;
}

static void ask_rates(TaskModel *self, guint64 newest) {
    if (newest > 0 && !self->is_new && task_pages_is_free(self->pages, TASK_PAGE_RATES))
        task_pages_ask(self->pages, TASK_PAGE_RATES, &self->query, newest, RATES_LIMIT);
}

/* Rows of what waits for a time count down, too. */
void task_model_tick(TaskModel *self) {
    GHashTableIter iter;
    gpointer item;
    guint64 newest = 0;

    g_hash_table_iter_init(&iter, self->shown);
    while (g_hash_table_iter_next(&iter, &item, NULL)) {
        const TaskFacts *f = task_item_facts(item);
        if (is_at_work(f))
            newest = MAX(newest, f->id);
        if (!task_state_is_final(f->state))
            task_item_tick(item);
    }
    ask_rates(self, newest);
}

void task_model_set_plan(TaskModel *self, const guint64 *ids, gsize n, TaskPlan plan) {
    for (gsize i = 0; i < n; i++) {
        TaskItem *item = task_cache_peek(self->cache, ids[i]);
        if (plan == TASK_PLAN_NONE)
            g_hash_table_remove(self->plans, &ids[i]);
        else
            g_hash_table_insert(self->plans, g_memdup2(&ids[i], sizeof(guint64)),
                                GINT_TO_POINTER(plan));
        if (item)
            task_item_set_plan(item, plan);
    }
}

/* ---- the object ---- */

TaskModelStatus task_model_get_status(TaskModel *self) {
    return self->status;
}

const char *task_model_get_error(TaskModel *self) {
    return self->error;
}

gboolean task_model_is_complete(TaskModel *self) {
    return !self->is_new && self->older == 0;
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_STATUS)
        g_value_set_int(value, LONGRUN_TASK_MODEL(object)->status);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void dispose(GObject *object) {
    TaskModel *self = LONGRUN_TASK_MODEL(object);

    stop_timers(self);
    g_clear_handle_id(&self->drop_timer, g_source_remove);
    disconnect(self);
    task_pages_set_manager(self->pages, NULL);
    g_hash_table_remove_all(self->shown);
    G_OBJECT_CLASS(task_model_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    TaskModel *self = LONGRUN_TASK_MODEL(object);

    g_hash_table_unref(self->shown);
    g_hash_table_unref(self->plans);
    g_array_unref(self->dropped);
    task_pages_free(self->pages);
    task_cache_free(self->cache);
    task_index_free(self->index);
    task_query_clear(&self->query);
    g_free(self->error);
    G_OBJECT_CLASS(task_model_parent_class)->finalize(object);
}

static void task_model_class_init(TaskModelClass *class) {
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_STATUS] =
        g_param_spec_int("status", NULL, NULL, 0, G_MAXINT, TASK_MODEL_LOADING,
                         G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
}

static void task_model_init(TaskModel *self) {
    self->is_new = TRUE;
    self->older = G_MAXUINT64;
    self->error = g_strdup("");
    self->pages = task_pages_new(on_page, self);
    self->index = task_index_new(on_index_changed, self);
    self->cache = task_cache_new();
    self->shown = g_hash_table_new_full(NULL, NULL, g_object_unref, NULL);
    self->plans = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    self->dropped = g_array_new(FALSE, FALSE, sizeof(guint64));
}

TaskModel *task_model_new(void) {
    return g_object_new(LONGRUN_TYPE_TASK_MODEL, NULL);
}
