#include <errno.h>
#include <stdio.h>

#include "daemon/store/store-read.h"

/* Pages, counts and ids of ended tasks by a filter, always by an index. The table `ended` says
 * which combinations of group, kind and state there are: each that the filter means is a source, a
 * walk through an index by id, and the sources are merged. Where there are too many (a group for
 * each task), a source is all that ended in one state; of the children of a task it is always those
 * that ended in one state. */

#define SOURCES_MAX 32

/* Bytes of requests in one page, roughly: as much as a reply may hold. */
#define PAGE_BYTES_MAX (32 * MIB)

typedef struct Source {
    sqlite3_stmt *statement;
    TaskState state;
    uint64_t id; /* of the row that it is at; 0 = at its end */
} Source;

typedef struct Sources {
    Source list[SOURCES_MAX];
    size_t n;
} Sources;

static void sources_done(Sources *s) {
    for (size_t i = 0; i < s->n; i++)
        sqlite3_finalize(s->list[i].statement);
}

/* ---- statements of a filter ---- */

static void bind(sqlite3_stmt *s, const char *name, const char *text) {
    int at = sqlite3_bind_parameter_index(s, name);

    if (at > 0 && text)
        (void)store_bind_text(s, at, text);
}

/* Ids and times of the database are below 2^63. */
static void bind_limit(sqlite3_stmt *s, const char *name, uint64_t value) {
    int at = sqlite3_bind_parameter_index(s, name);

    if (at > 0)
        (void)store_bind_u64(s, at, MIN(value, (uint64_t)INT64_MAX));
}

static void bind_filter(sqlite3_stmt *s, const TaskFilter *f) {
    bind(s, ":group", f->group);
    bind(s, ":kind", f->kind);
    bind(s, ":label", f->label);
    bind(s, ":search", f->search);
    bind_limit(s, ":parent", f->parent);
    bind_limit(s, ":since", f->since);
    bind_limit(s, ":until", f->until);
    bind_limit(s, ":cursor", f->cursor);
}

static const char *if_set(bool set, const char *text) {
    return set ? text : "";
}

/* Which rows a source gives. :group and :kind are those of the filter, or of the combination. */
static void where(char *sql, size_t size, const TaskFilter *f, bool group, bool kind) {
    /* The one about 0 says what the index on parents is of. */
    snprintf(sql, size, "finished_at > 0 AND state = :state%s%s%s%s%s%s%s%s%s",
             if_set(f->parent > 0, " AND parent > 0 AND parent = :parent"),
             if_set(group, " AND grp = :group"), if_set(kind, " AND kind = :kind"),
             if_set(f->since > 0, " AND created_at >= :since"),
             if_set(f->until > 0, " AND created_at < :until"),
             if_set(!isempty(f->label), " AND instr(label, :label) > 0"),
             if_set(!isempty(f->search), " AND instr(lower(label), lower(:search)) > 0"),
             if_set(f->not_retried, " AND NOT EXISTS (SELECT 1 FROM task AS again"
                                    " WHERE again.retry_of > 0 AND again.retry_of = task.id)"),
             f->cursor == 0    ? ""
             : f->newest_first ? " AND id <= :cursor"
                               : " AND id >= :cursor");
}

/* by_key: by group and kind as well, in the index that has them. what: of its rows. */
static int prepare_source(StoreDb *d, const TaskFilter *f, bool by_key, const char *what,
                          const char *order, sqlite3_stmt **ret) {
    char conditions[512], sql[640];

    where(conditions, sizeof(conditions), f, by_key || f->group, by_key || f->kind);
    snprintf(sql, sizeof(sql), "SELECT %s FROM task INDEXED BY %s WHERE %s%s", what,
             by_key          ? "task_ended"
             : f->parent > 0 ? "task_parent"
                             : "task_state",
             conditions, order);
    int r = store_db_prepare(d, sql, ret);
    if (r >= 0)
        bind_filter(*ret, f);
    return r;
}

/* ---- combinations ---- */

static bool wants(const TaskFilter *f, TaskState state) {
    return (int)state >= 0 && task_state_is_final(state) &&
           (f->states == 0 || f->states & (1u << state));
}

static int prepare_keys(StoreDb *d, const TaskFilter *f, sqlite3_stmt **ret) {
    char sql[256];

    snprintf(sql, sizeof(sql), "SELECT grp, kind, state, tasks FROM ended WHERE tasks > 0%s%s",
             if_set(f->group, " AND grp = :group"), if_set(f->kind, " AND kind = :kind"));
    int r = store_db_prepare(d, sql, ret);
    if (r >= 0)
        bind_filter(*ret, f);
    return r;
}

static int add_source(StoreDb *d, const TaskFilter *f, Sources *sources, bool by_key,
                      TaskState state, const char *what, const char *order) {
    Source *source = &sources->list[sources->n];
    int r;

    *source = (Source){.state = state};
    r = prepare_source(d, f, by_key, what, order, &source->statement);
    if (r < 0)
        return r;
    bind(source->statement, ":state", task_state_to_string(state));
    sources->n++;
    return 0;
}

/* Of the combination that the row of prepare_keys() names. */
static int add_key(StoreDb *d, const TaskFilter *f, Sources *sources, sqlite3_stmt *key,
                   TaskState state, const char *what, const char *order) {
    int r = add_source(d, f, sources, true, state, what, order);

    if (r < 0)
        return r;
    sqlite3_stmt *s = sources->list[sources->n - 1].statement;
    (void)sqlite3_bind_value(s, sqlite3_bind_parameter_index(s, ":group"),
                             sqlite3_column_value(key, 0));
    (void)sqlite3_bind_value(s, sqlite3_bind_parameter_index(s, ":kind"),
                             sqlite3_column_value(key, 1));
    return 0;
}

static int add_states(StoreDb *d, const TaskFilter *f, Sources *sources, const char *what,
                      const char *order) {
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < _TASK_STATE_MAX; i++)
        if (wants(f, (TaskState)i))
            r = add_source(d, f, sources, false, (TaskState)i, what, order);
    return r;
}

static int open_sources(StoreDb *d, const TaskFilter *f, Sources *sources, const char *what,
                        const char *order) {
    _cleanup_statement_ sqlite3_stmt *key = NULL;

    if (f->parent > 0)
        return add_states(d, f, sources, what, order);
    int r = prepare_keys(d, f, &key);

    while (r >= 0 && (r = store_db_step(d, key)) > 0) {
        TaskState state = task_state_from_string(store_column_text(key, 2));
        if (!wants(f, state))
            continue;
        if (sources->n == SOURCES_MAX) {
            sources_done(sources);
            sources->n = 0;
            return add_states(d, f, sources, what, order);
        }
        r = add_key(d, f, sources, key, state, what, order);
    }
    return MIN(r, 0);
}

/* ---- merging ---- */

static int source_step(StoreDb *d, Source *source) {
    int r = store_db_step(d, source->statement);

    source->id = r > 0 ? store_column_u64(source->statement, 0) : 0;
    return MIN(r, 0);
}

static int merge_open(StoreDb *d, const TaskFilter *f, Sources *sources) {
    int r = open_sources(d, f, sources, "id",
                         f->newest_first ? " ORDER BY id DESC" : " ORDER BY id ASC");

    for (size_t i = 0; r >= 0 && i < sources->n; i++)
        r = source_step(d, &sources->list[i]);
    return r;
}

/* The next id in order; 0 at the end. */
static int merge_next(StoreDb *d, const TaskFilter *f, Sources *sources, uint64_t *ret) {
    Source *next = NULL;

    for (size_t i = 0; i < sources->n; i++) {
        Source *s = &sources->list[i];
        if (s->id > 0 && (!next || (f->newest_first ? s->id > next->id : s->id < next->id)))
            next = s;
    }
    *ret = next ? next->id : 0;
    return next ? source_step(d, next) : 0;
}

/* ---- questions ---- */

int store_ask_page(StoreRead *q, StoreDb *d) {
    _cleanup_(sources_done) Sources sources = {};
    size_t bytes = 0, size;
    int r = store_read_tasks_room(q, MIN(q->filter.limit, (uint32_t)TASK_FILTER_LIMIT_MAX));

    if (r >= 0)
        r = merge_open(d, &q->filter, &sources);
    while (r >= 0) {
        r = merge_next(d, &q->filter, &sources, &q->next);
        if (r < 0 || q->next == 0)
            break;
        if (q->n_tasks == MIN(q->filter.limit, (uint32_t)TASK_FILTER_LIMIT_MAX) ||
            bytes > PAGE_BYTES_MAX)
            break;
        r = store_read_task(q, d, q->next, &size);
        bytes += size;
    }
    return r;
}

int store_ask_matches(StoreRead *q, StoreDb *d) {
    _cleanup_(sources_done) Sources sources = {};
    uint64_t id;
    int r = merge_open(d, &q->filter, &sources);

    while (r >= 0 && q->n_ids < STORE_IDS_MAX) {
        r = merge_next(d, &q->filter, &sources, &id);
        if (r < 0 || id == 0)
            break;
        q->ids[q->n_ids++] = id;
    }
    return r;
}

static int count_sources(StoreRead *q, StoreDb *d) {
    _cleanup_(sources_done) Sources sources = {};
    int r = open_sources(d, &q->filter, &sources, "count(*)", "");

    for (size_t i = 0; r >= 0 && i < sources.n; i++) {
        r = source_step(d, &sources.list[i]);
        q->counts[sources.list[i].state] += (uint32_t)sources.list[i].id;
    }
    return r;
}

/* Where the totals have the answer. */
static int count_totals(StoreRead *q, StoreDb *d) {
    _cleanup_statement_ sqlite3_stmt *key = NULL;
    int r = prepare_keys(d, &q->filter, &key);

    while (r >= 0 && (r = store_db_step(d, key)) > 0) {
        TaskState state = task_state_from_string(store_column_text(key, 2));
        if (wants(&q->filter, state))
            q->counts[state] += (uint32_t)store_column_u64(key, 3);
    }
    return r;
}

int store_ask_counts(StoreRead *q, StoreDb *d) {
    const TaskFilter *f = &q->filter;

    q->filter.cursor = 0;
    if (f->not_retried || f->parent > 0 || f->since > 0 || f->until > 0 || !isempty(f->label) ||
        !isempty(f->search))
        return count_sources(q, d);
    return count_totals(q, d);
}
