#include "daemon/exec/exec-thread.h"

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/journal-lines.h"
#include "common/log.h"
#include "common/message-queue.h"
#include "common/parse.h"
#include "daemon/exec/result-file.h"
#include "daemon/exec/thread-pool.h"

/* News that wait for the loop. When a kind is faster than the loop, the last of each sort is what
 * is kept. */
#define NEWS_MAX 32

/* Items with news that are looked at in one turn of the loop: a kind that always has some must not
 * keep the loop from everything else. */
#define TURN_MAX 64

typedef enum NewsType {
    NEWS_STARTED,
    NEWS_PROGRESS,
    NEWS_PHASE,
    NEWS_STATUS,
    NEWS_LOG,
    _NEWS_TYPE_MAX,
} NewsType;

typedef struct News {
    NewsType type;
    char *text;
    uint64_t done, total; /* NEWS_LOG: done = size of the log */
    bool bytes;
} News;

struct ThreadExecutor {
    sd_event *event; /* not owned */
    sd_event_source *source;
    ThreadPool *pool;
};

typedef struct ThreadJob {
    ExecJob job;
    PoolItem item;
    TaskContext context;
    ThreadExecutor *executor; /* not owned */
    uint64_t id;
    const Kind *kind;
    cJSON *params;
    char *runtime_dir;
    uint64_t result_max, stop_timeout_usec;
    StartTrace *trace; /* not owned; NULL: it is not to be noted */
    int trace_place;
    sd_event_source *stop_timer;

    /* Both sides, under the pool's lock. */
    News news[NEWS_MAX];
    size_t n_news;
    bool cancelled;
    MessageQueue inbox, sent; /* to the task, and by it */
    pthread_cond_t wake;      /* cancelled, or there is a message */

    /* The thread's until the item is done. */
    LogFile log;
    const char *journal_socket; /* not owned; NULL: nothing goes there, or nothing more */
    char *label;
    JournalLines *journal; /* NULL before the first line */
    char *message;
    int result;
    bool left_files; /* in the runtime folder */
    uint64_t cpu_usec;
} ThreadJob;

/* ---- the thread's side ---- */

static ThreadJob *context_job(TaskContext *c) {
    return CONTAINER_OF(c, ThreadJob, context);
}

/* Makes room when the loop has not looked for long: keeps, in order, the last of each sort, but no
 * progress of a phase that is over. */
static void drop_old_news(ThreadJob *j) {
    bool seen[_NEWS_TYPE_MAX] = {};
    size_t kept = j->n_news;

    for (size_t i = j->n_news; i > 0; i--) {
        News *n = &j->news[i - 1];
        bool old = seen[n->type] || (n->type == NEWS_PROGRESS && seen[NEWS_PHASE]);
        seen[n->type] = true;
        if (old)
            free(n->text);
        else
            j->news[--kept] = *n;
    }
    j->n_news -= kept;
    memmove(j->news, j->news + kept, j->n_news * sizeof(News));
}

/* The entry to fill in: a new one, or, but for words, one of the same sort that came just before.
 */
static News *news_slot(ThreadJob *j, NewsType type) {
    if (j->n_news > 0 && j->news[j->n_news - 1].type == type && type != NEWS_STATUS)
        return &j->news[j->n_news - 1];
    if (j->n_news == NEWS_MAX)
        drop_old_news(j);
    j->news[j->n_news] = (News){.type = type};
    return &j->news[j->n_news++];
}

/* With the lock held. Takes its text. */
static void add_news(ThreadJob *j, const News *news) {
    News *n = news_slot(j, news->type);

    free(n->text);
    *n = *news;
    thread_pool_notify(j->executor->pool, &j->item);
}

static void post(ThreadJob *j, const News *news) {
    thread_pool_lock(j->executor->pool);
    add_news(j, news);
    thread_pool_unlock(j->executor->pool);
}

static void post_text(ThreadJob *j, NewsType type, const char *text) {
    post(j, &(News){.type = type, .text = strdup(text)});
}

static void on_progress(TaskContext *c, uint64_t done, uint64_t total, bool bytes) {
    post(context_job(c),
         &(News){.type = NEWS_PROGRESS, .done = done, .total = total, .bytes = bytes});
}

static void on_phase(TaskContext *c, const char *phase) {
    post_text(context_job(c), NEWS_PHASE, phase);
}

static void on_status(TaskContext *c, const char *text) {
    post_text(context_job(c), NEWS_STATUS, text);
}

/* Most kinds print nothing, and need no socket. */
static void to_journal(ThreadJob *j, LogStream stream, const char *text, size_t size) {
    const JournalTask task = {
        .socket = j->journal_socket, .id = j->id, .label = j->label, .identifier = j->kind->name};

    if (!j->journal && j->journal_socket && journal_lines_new(&j->journal, &task) < 0)
        j->journal_socket = NULL; /* the manager has warned of it */
    journal_lines_feed(j->journal, stream, text, size);
}

static void on_log(TaskContext *c, bool error, const char *line) {
    ThreadJob *j = context_job(c);
    LogStream stream = error ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT;
    _cleanup_free_ char *text = NULL;
    int n = asprintf(&text, "%s\n", line);

    if (n < 0) {
        text = NULL;
        return;
    }
    log_file_append(&j->log, stream, clock_usec(CLOCK_REALTIME), text, (size_t)n);
    to_journal(j, stream, text, (size_t)n);
    post(j, &(News){.type = NEWS_LOG, .done = j->log.size});
}

static void on_message(TaskContext *c, const char *text) {
    ThreadJob *j = context_job(c);

    free(j->message);
    j->message = strdup(text);
}

static int on_set_result(TaskContext *c, const char *json) {
    ThreadJob *j = context_job(c);

    if (strlen(json) > j->result_max)
        return -EFBIG;
    j->left_files = true;
    return result_file_write(j->runtime_dir, json);
}

static bool on_cancelled(TaskContext *c) {
    return __atomic_load_n(&context_job(c)->cancelled, __ATOMIC_RELAXED);
}

static int on_sleep(TaskContext *c, uint64_t usec) {
    ThreadJob *j = context_job(c);
    ThreadPool *pool = j->executor->pool;
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + usec;

    thread_pool_lock(pool);
    bool in_time = true;
    while (!j->cancelled && in_time)
        in_time = thread_pool_wait_until(pool, &j->wake, deadline);
    bool cancelled = j->cancelled;
    thread_pool_unlock(pool);
    return cancelled ? -ECANCELED : 0;
}

static int on_receive(TaskContext *c, uint64_t timeout_usec, char **ret) {
    ThreadJob *j = context_job(c);
    ThreadPool *pool = j->executor->pool;
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t deadline = timeout_usec < USEC_INFINITY - now ? now + timeout_usec : USEC_INFINITY;

    thread_pool_lock(pool);
    bool in_time = true;
    while (!j->cancelled && !j->inbox.first && in_time)
        in_time = thread_pool_wait_until(pool, &j->wake, deadline);
    bool cancelled = j->cancelled;
    _cleanup_free_ Message *m = cancelled ? NULL : message_queue_take(&j->inbox);
    thread_pool_unlock(pool);
    if (!m)
        return cancelled ? -ECANCELED : -ETIMEDOUT;
    char *text = strdup(m->text);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

static int on_send(TaskContext *c, const char *text) {
    ThreadJob *j = context_job(c);
    ThreadPool *pool = j->executor->pool;

    thread_pool_lock(pool);
    int r = message_queue_put(&j->sent, text);
    thread_pool_notify(pool, &j->item);
    thread_pool_unlock(pool);
    return r;
}

static const TaskContextVTable context_vtable = {
    .progress = on_progress,
    .phase = on_phase,
    .status = on_status,
    .log = on_log,
    .message = on_message,
    .set_result = on_set_result,
    .cancelled = on_cancelled,
    .sleep = on_sleep,
    .receive = on_receive,
    .send = on_send,
};

/* Behind the end of the one whose slot it takes, with the lock still held: in this order the loop
 * hears of both. */
static void begin(PoolItem *item) {
    ThreadJob *j = CONTAINER_OF(item, ThreadJob, item);

    if (j->trace)
        start_trace_note(j->trace, j->trace_place, j->id);
    add_news(j, &(News){.type = NEWS_STARTED});
}

static void work(PoolItem *item) {
    ThreadJob *j = CONTAINER_OF(item, ThreadJob, item);
    uint64_t before = clock_usec(CLOCK_THREAD_CPUTIME_ID);

    j->result = j->kind->run(&j->context, j->params);
    j->journal = journal_lines_free(j->journal);
    j->cpu_usec = clock_usec(CLOCK_THREAD_CPUTIME_ID) - before;
}

/* ---- the loop's side ---- */

static void thread_job_free(ExecJob *job) {
    ThreadJob *j = CONTAINER_OF(job, ThreadJob, job);

    sd_event_source_disable_unref(j->stop_timer);
    for (size_t i = 0; i < j->n_news; i++)
        free(j->news[i].text);
    message_queue_clear(&j->inbox);
    message_queue_clear(&j->sent);
    log_file_done(&j->log);
    free(j->label);
    pthread_cond_destroy(&j->wake);
    cJSON_Delete(j->params);
    free(j->message);
    free(j->runtime_dir);
    free(j);
}

static int on_stop_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
    ThreadJob *j = userdata;
    char buf[FORMAT_MAX], text[128];

    snprintf(text, sizeof(text), "still at work: it has not answered the cancel for %s",
             format_span(buf, j->stop_timeout_usec));
    log_full(LOG_WARNING, j->id, "Kind %s is %s; a thread is never killed half-way", j->kind->name,
             text);
    j->job.events->reason(j->job.userdata, text);
    return 0;
}

static void thread_job_cancel(ExecJob *job) {
    ThreadJob *j = CONTAINER_OF(job, ThreadJob, job);
    ThreadPool *pool = j->executor->pool;

    thread_pool_lock(pool);
    bool again = j->cancelled;
    __atomic_store_n(&j->cancelled, true, __ATOMIC_RELAXED);
    pthread_cond_signal(&j->wake);
    bool withdrawn = !again && thread_pool_withdraw(pool, &j->item);
    if (withdrawn) {
        j->result = -ECANCELED;
        j->message = strdup("cancelled before it was started");
    }
    thread_pool_unlock(pool);
    if (again || withdrawn)
        return;
    int r = sd_event_add_time_relative(j->executor->event, &j->stop_timer, CLOCK_MONOTONIC,
                                       j->stop_timeout_usec, 0, on_stop_timeout, j);
    if (r < 0)
        log_warning_errno(r, "Cannot watch over the cancel of a thread, ignoring");
}

static int thread_job_kill(ExecJob *job, int signal) {
    return -EOPNOTSUPP;
}

/* A kind has no place where it could be held up without holding what others wait for. */
static int thread_job_pause(ExecJob *job, bool pause) {
    return -EOPNOTSUPP;
}

static int thread_job_send(ExecJob *job, const char *text) {
    ThreadJob *j = CONTAINER_OF(job, ThreadJob, job);
    ThreadPool *pool = j->executor->pool;

    if (!j->kind->takes_messages)
        return -EOPNOTSUPP;
    thread_pool_lock(pool);
    int r = message_queue_put(&j->inbox, text);
    pthread_cond_signal(&j->wake);
    thread_pool_unlock(pool);
    return r;
}

static const ExecJobVTable job_vtable = {
    .cancel = thread_job_cancel,
    .kill = thread_job_kill,
    .pause = thread_job_pause,
    .send = thread_job_send,
    .free = thread_job_free,
};

static void report_progress(ThreadJob *j, const News *n) {
    ProgressNews news = {
        .fraction = PROGRESS_UNKNOWN,
        .done = n->done,
        .total = n->total,
        .bytes = n->bytes,
        .trusted = true,
        .source = PROGRESS_SOURCE_NOTIFY,
    };

    j->job.events->progress(j->job.userdata, &news);
}

static void report(ThreadJob *j, const News *n) {
    const ExecEvents *events = j->job.events;
    void *userdata = j->job.userdata;

    switch (n->type) {
    case NEWS_STARTED:
        events->started(userdata, 0);
        break;
    case NEWS_PROGRESS:
        report_progress(j, n);
        break;
    case NEWS_PHASE:
        events->phase(userdata, strempty(n->text));
        break;
    case NEWS_STATUS:
        events->status(userdata, strempty(n->text));
        break;
    case NEWS_LOG:
        events->log_grew(userdata, n->done);
        break;
    case _NEWS_TYPE_MAX:
        break;
    }
}

static void report_news(ThreadJob *j) {
    News news[NEWS_MAX];

    thread_pool_lock(j->executor->pool);
    size_t n = j->n_news;
    MessageQueue sent = j->sent;
    memcpy(news, j->news, n * sizeof(News));
    j->n_news = 0;
    j->sent = (MessageQueue){};
    thread_pool_unlock(j->executor->pool);

    for (size_t i = 0; i < n; i++) {
        report(j, &news[i]);
        free(news[i].text);
    }
    for (Message *m; (m = message_queue_take(&sent));) {
        j->job.events->message(j->job.userdata, m->text);
        free(m);
    }
}

static void report_end(ThreadJob *j) {
    bool ok = j->result >= 0, cancelled = j->result == -ECANCELED && j->cancelled;
    ExecOutcome outcome = {
        .state = ok          ? TASK_SUCCEEDED
                 : cancelled ? TASK_CANCELLED
                             : TASK_FAILED,
        .exit_code = ok          ? 0
                     : cancelled ? -1
                                 : 1,
        .message = j->message  ? j->message
                   : ok        ? ""
                   : cancelled ? "cancelled"
                               : strerror(-j->result),
        .log_dropped = j->log.dropped,
        .log_error = j->log.error,
        .usage = {.cpu_usec = j->cpu_usec},
        .left_no_files = !j->left_files,
    };

    j->job.events->ended(j->job.userdata, &outcome);
}

static int on_pool(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    ThreadExecutor *x = userdata;
    PoolItem *item;
    bool done;

    for (int i = 0; i < TURN_MAX && (item = thread_pool_take(x->pool, &done)); i++) {
        ThreadJob *j = CONTAINER_OF(item, ThreadJob, item);
        report_news(j);
        if (done)
            report_end(j);
    }
    return 0;
}

int thread_executor_new(ThreadExecutor **ret, sd_event *event) {
    ThreadExecutor *x = calloc(1, sizeof(ThreadExecutor));
    int r;

    if (!x)
        return -ENOMEM;
    x->event = event;
    r = thread_pool_new(&x->pool);
    if (r >= 0)
        r = sd_event_add_io(event, &x->source, thread_pool_fd(x->pool), EPOLLIN, on_pool, x);
    if (r < 0) {
        thread_executor_free(x);
        return r;
    }
    (void)sd_event_source_set_description(x->source, "thread-pool");
    *ret = x;
    return 0;
}

ThreadExecutor *thread_executor_free(ThreadExecutor *x) {
    if (!x)
        return NULL;
    sd_event_source_disable_unref(x->source);
    thread_pool_free(x->pool);
    free(x);
    return NULL;
}

static int submit(ThreadJob *j, bool ahead) {
    if (!ahead)
        return thread_pool_submit(j->executor->pool, &j->item);
    thread_pool_submit_ahead(j->executor->pool, &j->item);
    return 0;
}

int thread_job_start(ThreadExecutor *x, const ThreadJobSpec *spec, const ExecEvents *events,
                     void *userdata, ExecJob **ret) {
    ThreadJob *j = calloc(1, sizeof(ThreadJob));
    int r;

    if (!j)
        return -ENOMEM;
    j->job = (ExecJob){.vtable = &job_vtable, .events = events, .userdata = userdata};
    j->item.begin = begin;
    j->item.work = work;
    j->trace = spec->trace;
    j->trace_place = spec->trace_place;
    j->context.vtable = &context_vtable;
    j->executor = x;
    j->id = spec->id;
    j->kind = spec->kind;
    j->result_max = spec->result_max;
    j->stop_timeout_usec = spec->stop_timeout_usec;
    thread_pool_condition_init(&j->wake);
    log_file_init(&j->log, spec->log_dir, spec->id, spec->log_max);
    j->params = cJSON_Parse(isempty(spec->params) ? "{}" : spec->params);
    j->runtime_dir = strdup(spec->runtime_dir);
    j->journal_socket = spec->journal;
    j->label = strdup(spec->journal ? spec->label : "");
    r = j->params && j->runtime_dir && j->label ? submit(j, spec->ahead) : -ENOMEM;
    if (r < 0) {
        thread_job_free(&j->job);
        return r;
    }
    *ret = &j->job;
    return 0;
}

void thread_executor_set_slots(ThreadExecutor *x, unsigned slots) {
    thread_pool_set_limit(x->pool, slots);
}

bool thread_job_take_back(ExecJob *job) {
    ThreadJob *j = CONTAINER_OF(job, ThreadJob, job);

    thread_pool_lock(j->executor->pool);
    bool taken = thread_pool_take_back(j->executor->pool, &j->item);
    thread_pool_unlock(j->executor->pool);
    return taken;
}
