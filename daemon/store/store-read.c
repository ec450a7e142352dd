#include "daemon/store/store-read.h"

#include <errno.h>

#include "daemon/store/store-rows.h"
#include "daemon/store/store-statements.h"

/* Reads that wait, at most: each is somebody's call. */
#define READS_MAX 4096

/* ---- in the reader ---- */

int store_read_tasks_room(StoreRead *q, size_t n) {
    q->tasks = calloc(n + 1, sizeof(Task *));
    q->task_envs = calloc(n + 1, sizeof(int64_t));
    return q->tasks && q->task_envs ? 0 : -ENOMEM;
}

static bool has_env(const StoreRead *q, int64_t id) {
    for (size_t i = q->n_stored_envs; i-- > 0;)
        if (q->stored_envs[i].id == id)
            return true;
    return false;
}

static int read_block(StoreDb *d, int64_t id, StoredEnv *ret) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_READ_ENV, &s);

    if (r < 0)
        return r;
    (void)sqlite3_bind_int64(s, 1, id);
    r = store_db_step(d, s);
    *ret = (StoredEnv){.id = id};
    if (r > 0) {
        const void *block = sqlite3_column_blob(s, 0);
        ret->size = (size_t)sqlite3_column_bytes(s, 0);
        ret->block = malloc(ret->size + 1);
        if (ret->block && block)
            memcpy(ret->block, block, ret->size);
        r = ret->block ? 0 : -ENOMEM;
    }
    (void)sqlite3_reset(s);
    return r;
}

static int add_env(StoreRead *q, StoreDb *d, int64_t id) {
    if (has_env(q, id))
        return 0;
    StoredEnv *grown = reallocarray(q->stored_envs, q->n_stored_envs + 1, sizeof(StoredEnv));
    if (!grown)
        return -ENOMEM;
    q->stored_envs = grown;
    int r = read_block(d, id, &grown[q->n_stored_envs]);
    if (r >= 0)
        q->n_stored_envs++;
    return r;
}

static size_t task_size(const Task *t) {
    size_t size = task_spec_size(t->spec);

    for (unsigned i = 0; i < t->n_attempts; i++)
        size += sizeof(TaskAttempt) + strlen(t->attempts[i].message);
    return size;
}

int store_read_task(StoreRead *q, StoreDb *d, uint64_t id, size_t *ret_size) {
    size_t at = q->n_tasks;
    sqlite3_stmt *s;
    bool whole;
    int r = store_statement(d, STATEMENT_READ_TASK, &s);

    if (r < 0)
        return r;
    *ret_size = 0;
    (void)store_bind_u64(s, 1, id);
    r = store_db_step(d, s);
    if (r > 0) {
        r = store_row_read(d, s, &q->tasks[at], &q->task_envs[at], &whole);
        *ret_size = r >= 0 ? task_size(q->tasks[at]) : 0;
    }
    (void)sqlite3_reset(s);
    if (r >= 0)
        q->n_tasks++;
    if (r >= 0 && q->envs && q->task_envs[at] > 0)
        r = add_env(q, d, q->task_envs[at]);
    return r;
}

static int ask_tasks(StoreRead *q, StoreDb *d) {
    size_t size;
    int r = store_read_tasks_room(q, q->n_ids);

    for (size_t i = 0; r >= 0 && i < q->n_ids; i++)
        r = store_read_task(q, d, q->ids[i], &size);
    return r;
}

static int ask_result(StoreRead *q, StoreDb *d) {
    sqlite3_stmt *s;
    int r = store_statement(d, STATEMENT_READ_RESULT, &s);

    if (r < 0)
        return r;
    (void)store_bind_u64(s, 1, q->ids[0]);
    r = store_db_step(d, s);
    if (r > 0) {
        q->json = strdup(store_column_text(s, 0));
        r = q->json ? 0 : -ENOMEM;
    }
    (void)sqlite3_reset(s);
    return r;
}

/* Of the file that lies at the path now. */
static int reopen(Store *s) {
    unsigned generation = atomic_load(&s->generation);

    if (s->read_db.db && s->read_generation == generation)
        return 0;
    store_db_close(&s->read_db, false);
    s->read_generation = generation;
    return store_db_open(&s->read_db, s->path, STORE_DB_READ);
}

/* One transaction, so that all parts of the answer are of one moment. */
static int ask(Store *s, StoreRead *q) {
    int r = reopen(s);

    if (r >= 0)
        r = store_db_exec(&s->read_db, "BEGIN");
    if (r >= 0)
        r = q->ask(q, &s->read_db);
    store_db_rollback(&s->read_db);
    return r;
}

void store_read(void *userdata, StoreThread *t, StoreJob *job) {
    StoreRead *q = CONTAINER_OF(job, StoreRead, job);
    Store *s = userdata;

    q->error = ask(s, q);
    if (q->error < 0)
        store_db_close(&s->read_db, false);
    /* Unless the file has been replaced meanwhile. */
    if (q->error == -EBADMSG && s->read_generation == atomic_load(&s->generation))
        atomic_store(&s->damage_seen, true);
    store_thread_done(t, job);
}

/* ---- on the loop ---- */

static void read_free(StoreJob *job) {
    StoreRead *q = CONTAINER_OF(job, StoreRead, job);

    if (!q)
        return;
    for (size_t i = 0; q->tasks && i < q->n_tasks; i++)
        task_free(q->tasks[i]);
    for (size_t i = 0; i < q->n_stored_envs; i++)
        free(q->stored_envs[i].block);
    free(q->stored_envs);
    free(q->tasks);
    free(q->task_envs);
    free(q->ids);
    free(q->json);
    free((char *)q->filter.group);
    free((char *)q->filter.kind);
    free((char *)q->filter.label);
    free((char *)q->filter.search);
    free(q);
}

static void read_finish(StoreJob *job) {
    StoreRead *q = CONTAINER_OF(job, StoreRead, job);

    q->store->reads--;
    q->answer(q);
}

static int copy_string(const char *from, const char **to) {
    *to = from ? strdup(from) : NULL;
    return from && !*to ? -ENOMEM : 0;
}

static int copy_filter(const TaskFilter *f, TaskFilter *ret) {
    *ret = *f;
    ret->group = ret->kind = ret->label = ret->search = NULL;
    int r = copy_string(f->group, &ret->group);
    if (r >= 0)
        r = copy_string(f->kind, &ret->kind);
    if (r >= 0)
        r = copy_string(f->label, &ret->label);
    return r < 0 ? r : copy_string(f->search, &ret->search);
}

typedef struct Question {
    int (*ask)(StoreRead *q, StoreDb *d);
    void (*answer)(StoreRead *q);
    const TaskFilter *filter;
    const StoreLimits *limits;
    EnvTable *envs;
    const uint64_t *ids;
    size_t n_ids, ids_room;
} Question;

static int submit(Store *s, const Question *question, void *func, void *userdata) {
    StoreRead *q = s->reads < READS_MAX ? calloc(1, sizeof(StoreRead)) : NULL;
    size_t room = MAX(question->n_ids, question->ids_room);
    int r = 0;

    if (!q)
        return s->reads < READS_MAX ? -ENOMEM : -ENOBUFS;
    *q = (StoreRead){
        .job = {.finish = read_finish, .free = read_free},
        .store = s,
        .ask = question->ask,
        .answer = question->answer,
        .func = func,
        .userdata = userdata,
        .envs = question->envs,
        .ids = calloc(room + 1, sizeof(uint64_t)),
        .n_ids = question->n_ids,
    };
    if (question->limits)
        q->limits = *question->limits;
    if (question->filter)
        r = copy_filter(question->filter, &q->filter);
    if (r < 0 || !q->ids) {
        read_free(&q->job);
        return -ENOMEM;
    }
    if (question->n_ids > 0)
        memcpy(q->ids, question->ids, question->n_ids * sizeof(uint64_t));
    s->reads++;
    store_thread_submit(s->reader, &q->job);
    return 0;
}

/* ---- environments of tasks that were read ---- */

static int intern_envs(StoreRead *q) {
    for (size_t i = 0; i < q->n_stored_envs; i++) {
        const StoredEnv *stored = &q->stored_envs[i];
        if (!stored->block)
            continue; /* lost with a damaged database */
        EnvBlock *block = store_env_intern(q->envs, stored->block, stored->size);
        if (!block)
            return -ENOMEM;
        for (size_t j = 0; j < q->n_tasks; j++)
            if (q->tasks[j] && q->task_envs[j] == stored->id)
                q->tasks[j]->spec->env = env_block_ref(block);
        env_block_unref(block);
    }
    return 0;
}

static void answer_tasks(StoreRead *q) {
    StoreTasksFunc func = (StoreTasksFunc)q->func;

    if (q->error >= 0)
        q->error = intern_envs(q);
    if (q->error < 0)
        func(q->userdata, q->error, NULL, 0, 0);
    else
        func(q->userdata, 0, q->tasks, q->n_tasks, q->next);
}

static void answer_ids(StoreRead *q) {
    StoreIdsFunc func = (StoreIdsFunc)q->func;

    func(q->userdata, q->error, q->ids, q->error < 0 ? 0 : q->n_ids);
}

static void answer_counts(StoreRead *q) {
    StoreCountFunc func = (StoreCountFunc)q->func;

    func(q->userdata, q->error, q->counts);
}

static void answer_result(StoreRead *q) {
    StoreResultFunc func = (StoreResultFunc)q->func;

    func(q->userdata, q->error, q->error < 0 ? NULL : q->json);
}

/* ---- questions ---- */

int store_read_tasks(Store *s, EnvTable *envs, const uint64_t *ids, size_t n, StoreTasksFunc func,
                     void *userdata) {
    Question q = {.ask = ask_tasks, .answer = answer_tasks, .envs = envs, .ids = ids, .n_ids = n};
    return submit(s, &q, (void *)func, userdata);
}

int store_list(Store *s, const TaskFilter *filter, StoreTasksFunc func, void *userdata) {
    Question q = {.ask = store_ask_page, .answer = answer_tasks, .filter = filter};
    return submit(s, &q, (void *)func, userdata);
}

int store_count(Store *s, const TaskFilter *filter, StoreCountFunc func, void *userdata) {
    Question q = {.ask = store_ask_counts, .answer = answer_counts, .filter = filter};
    return submit(s, &q, (void *)func, userdata);
}

int store_read_result(Store *s, uint64_t id, StoreResultFunc func, void *userdata) {
    Question q = {.ask = ask_result, .answer = answer_result, .ids = &id, .n_ids = 1};
    return submit(s, &q, (void *)func, userdata);
}

int store_match_ids(Store *s, const TaskFilter *filter, StoreIdsFunc func, void *userdata) {
    Question q = {.ask = store_ask_matches,
                  .answer = answer_ids,
                  .filter = filter,
                  .ids_room = STORE_IDS_MAX};
    return submit(s, &q, (void *)func, userdata);
}

int store_excess_ids(Store *s, const StoreLimits *limits, StoreIdsFunc func, void *userdata) {
    Question q = {
        .ask = store_ask_excess, .answer = answer_ids, .limits = limits, .ids_room = STORE_IDS_MAX};
    return submit(s, &q, (void *)func, userdata);
}
