#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/exec/result-file.h"
#include "daemon/http/backend-watch.h"
#include "daemon/http/http-operation.h"
#include "daemon/kinds/http-operation-params.h"
#include "daemon/manager-private.h"

/* Operations on backends: tasks that run on the event loop, see http/http-operation.h. They need a
 * backend, and what they have saved; and they outlive the daemon, since the work is on a server. */

/* ---- the backend ---- */

/* Of params that were checked when the task was made. To be freed. */
static char *backend_name(const TaskSpec *spec) {
    _cleanup_(cJSON_Deletep) cJSON *params = cJSON_Parse(strempty(spec->params));
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(params, "backend"));

    return name ? strdup(name) : NULL;
}

static const char *text_param(const cJSON *params, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(params, name));
}

/* It would be refused when it is asked for: credentials stay with their server. */
static int check_origin(const Backend *b, const cJSON *params, const char *name, Error *error) {
    const char *url = text_param(params, name);

    if (!url || url[0] == '/' || !strstr(url, "://") || http_url_same_origin(url, b->settings->url))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "params of kind http-operation: '%s' names another server than that of "
                     "backend %s, %s: give a path alone, or add that server as a backend",
                     name, b->name, b->settings->url);
}

int manager_check_operation(const Manager *m, const TaskSpec *spec, const cJSON *params,
                            Error *error) {
    const char *name = text_param(params, "backend");
    const Backend *b = manager_find_backend((Manager *)m, strempty(name));
    int r;

    if (!b)
        return error_set(error, ERROR_NO_SUCH_BACKEND,
                         "There is no backend \"%.100s\": add it first, by AddBackend or \"longrun "
                         "backend add\"",
                         strempty(name));
    if (text_param(params, "idempotency_key") && task_spec_is_series(spec))
        return error_set(error, ERROR_INVALID_OPTION,
                         "params of kind http-operation: with the same 'idempotency_key' all runs "
                         "of a series would be one operation: leave it out, each gets its own");
    r = check_origin(b, params, "path", error);
    if (r >= 0)
        r = check_origin(b, params, "url_template", error);
    return r < 0 ? r : check_origin(b, params, "cancel_path", error);
}

/* It cannot be removed as long as somebody is at work on it. */
static void use_backend(TaskRun *run, Backend *b) {
    run->backend = b;
    if (b)
        b->users++;
}

static void leave_backend(TaskRun *run) {
    if (run->backend)
        run->backend->users--;
    run->backend = NULL;
}

static HttpClient *client_of(const TaskRun *run) {
    return run->backend ? backend_watch_client(run->backend) : NULL;
}

void manager_operations_join(Manager *m, Backend *b) {
    for (Task *t = task_table_begin(&m->tasks, false); t;
         t = task_table_next(&m->tasks, t, false)) {
        TaskRun *run = t->run;
        if (!run || !run->is_loop || !run->job || run->backend)
            continue;
        _cleanup_free_ char *name = backend_name(t->spec);
        if (!name || !streq(name, b->name))
            continue;
        use_backend(run, b);
        http_operation_set_client(run->job, client_of(run));
    }
}

/* ---- what is saved ---- */

/* Somebody who waits for the disk. In the list, since the daemon may end before. */
typedef struct OperationSave {
    Manager *manager;                   /* not owned */
    void (*func)(void *arg, int error); /* NULL: nobody wants to know any more */
    void *arg;
    LIST_ENTRY(OperationSave) link;
} OperationSave;

static void free_save(OperationSave *s) {
    LIST_REMOVE(s, link);
    free(s);
}

static void on_saved(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    OperationSave *s = arg;

    if (s->func)
        s->func(s->arg, error);
    free_save(s);
    manager_exit_if_idle(m);
}

static int save(void *userdata, const char *json, void (*func)(void *arg, int error), void *arg) {
    TaskRun *run = userdata;
    Manager *m = run->manager;
    OperationSave *s = malloc(sizeof(OperationSave));
    _cleanup_free_ char *copy = strdup(json);
    int r = s && copy ? commit_queue_put_operation(m->commits, run->task->id, json) : -ENOMEM;

    if (r < 0) {
        free(s);
        return r;
    }
    free(run->saved);
    run->saved = TAKE_PTR(copy);
    *s = (OperationSave){.manager = m, .func = func, .arg = arg};
    LIST_INSERT_HEAD(&m->operation_saves, s, link);
    commit_queue_call(m->commits, on_saved, m, s);
    return 0;
}

static void drop_save(void *userdata, void *arg) {
    const TaskRun *run = userdata;
    OperationSave *s;

    LIST_FOREACH (s, &run->manager->operation_saves, link)
        if (s->arg == arg)
            s->func = NULL;
}

static int set_result(void *userdata, const char *json) {
    const TaskRun *run = userdata;

    return result_file_write(run->runtime_dir, json);
}

/* ---- the start ---- */

int manager_start_operation(TaskRun *run, const char *saved) {
    const TaskSpec *spec = run->task->spec;
    Manager *m = run->manager;
    _cleanup_free_ char *name = backend_name(spec);
    const HttpOperationSpec operation = {
        .id = run->task->id,
        .attempt = run->task->attempt,
        .is_repetition = run->task->retry_of > 0,
        .params = spec->params,
        .saved = saved,
        .log_dir = m->dirs.logs,
        .journal = manager_journal(m),
        .label = spec->label,
        .log_max = spec->log_max,
        .result_max = spec->result_max,
        .stop_timeout_usec = spec->stop_timeout_usec,
        .set_result = set_result,
        .save = save,
        .drop_save = drop_save,
    };

    run->saved = saved ? strdup(saved) : NULL;
    if (!name || (saved && !run->saved))
        return -ENOMEM;
    use_backend(run, manager_find_backend(m, name));
    if (!run->backend && !saved)
        return -ENODEV;
    int r = http_operation_start(m->event, &operation, manager_exec_events, run, &run->job);
    if (r < 0)
        leave_backend(run);
    else
        http_operation_set_client(run->job, client_of(run));
    return r;
}

void manager_put_operations(Manager *m) {
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if (t->run && t->run->saved &&
            commit_queue_put_operation(m->commits, t->id, t->run->saved) < 0)
            log_full(LOG_WARNING, t->id, "Cannot write anew what was saved of it, ignoring");
}

/* In the same commit as its end: a next daemon finds both, or none. */
void manager_operation_ended(TaskRun *run) {
    if (!run->is_loop)
        return;
    leave_backend(run);
    if (run->saved && commit_queue_put_operation(run->manager->commits, run->task->id, NULL) < 0)
        log_full(LOG_WARNING, run->task->id, "Cannot forget what was saved of it, ignoring");
    free(TAKE_PTR(run->saved));
}

/* ---- those of the daemon before ---- */

typedef struct SavedOperation {
    uint64_t id;
    char *json;
    UT_hash_handle hh;
} SavedOperation;

static int on_loaded(void *userdata, uint64_t id, const char *json) {
    Manager *m = userdata;
    SavedOperation *s = calloc(1, sizeof(SavedOperation));

    if (!s)
        return -ENOMEM;
    s->id = id;
    s->json = strdup(json);
    if (!s->json) {
        free(s);
        return -ENOMEM;
    }
    HASH_ADD(hh, m->saved_operations, id, sizeof(uint64_t), s);
    return 0;
}

int manager_load_operations(Manager *m) {
    return store_load_operations(m->store, on_loaded, m);
}

const char *manager_saved_operation(const Manager *m, uint64_t id) {
    SavedOperation *s;

    HASH_FIND(hh, m->saved_operations, &id, sizeof(uint64_t), s);
    return s ? s->json : NULL;
}

void manager_forget_saved_operations(Manager *m) {
    SavedOperation *s, *next;

    HASH_ITER (hh, m->saved_operations, s, next) {
        HASH_DEL(m->saved_operations, s);
        free(s->json);
        free(s);
    }
}

void manager_done_operations(Manager *m) {
    manager_forget_saved_operations(m);
    for (OperationSave *s; (s = LIST_FIRST(&m->operation_saves));)
        free_save(s);
}

/* ---- the end of the daemon ---- */

/* Nothing new is asked of servers. */
void manager_hold_operations(Manager *m) {
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if (t->run && t->run->is_loop && t->run->job)
            http_operation_hold(t->run->job);
}

/* Each start that is answered, and is on disk then, is one that the next daemon need not send once
 * more: not all servers look at the key. */
bool manager_operations_starting(const Manager *m) {
    for (Task *t = task_table_begin((TaskTable *)&m->tasks, false); t;
         t = task_table_next((TaskTable *)&m->tasks, t, false))
        if (t->run && t->run->is_loop && t->run->job && http_operation_is_starting(t->run->job))
            return true;
    return false;
}
