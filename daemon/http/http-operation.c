#include "daemon/http/http-operation.h"

#include <errno.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "daemon/http/http-operation-private.h"

/* The life of an operation: what is due next, and what is to be on disk before. */

/* So that the loop wakes once for several. */
#define TIMER_ACCURACY_USEC (10 * USEC_PER_MSEC)

uint64_t operation_random(void) {
    uint64_t random = 0;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = clock_usec(CLOCK_MONOTONIC);
    return random;
}

void operation_later(HttpOperation *o, uint64_t usec) {
    (void)sd_event_source_set_time(o->timer, clock_usec(CLOCK_MONOTONIC) + usec);
    (void)sd_event_source_set_enabled(o->timer, SD_EVENT_ONESHOT);
}

/* ---- what is to be on disk ---- */

static void on_saved(void *arg, int error) {
    HttpOperation *o = arg;

    o->saving = false;
    o->is_saved = error >= 0;
    if (o->step == OPERATION_STEP_SAVE_KEY || o->step == OPERATION_STEP_SAVE_URL)
        operation_later(o, error < 0 ? USEC_PER_SEC : 0);
}

void operation_save(HttpOperation *o, OperationStep step) {
    _cleanup_free_ char *json = operation_saved_format(&o->saved);

    o->step = step;
    o->saving = true;
    o->is_saved = false;
    int r = json ? o->spec.save(o->job.userdata, json, on_saved, o) : -ENOMEM;
    if (r >= 0)
        return;
    /* Tried again: nothing may happen before it is safe. */
    o->saving = false;
    operation_log_failure(o, "What is needed to go on with it cannot be saved: %s", strerror(-r));
    operation_later(o, USEC_PER_SEC);
}

/* ---- what is due ---- */

static void begin(HttpOperation *o) {
    int r = operation_make_key(o);

    if (r < 0)
        operation_end(o, TASK_FAILED, "cannot be started: %s", strerror(-r));
    else
        operation_save(o, OPERATION_STEP_SAVE_KEY);
}

static void tell_started(HttpOperation *o) {
    if (!o->started_told)
        o->job.events->started(o->job.userdata, 0);
    o->started_told = true;
}

static void start(HttpOperation *o) {
    o->step = OPERATION_STEP_START;
    tell_started(o);
    operation_send_start(o);
}

static void poll_first(HttpOperation *o) {
    o->step = OPERATION_STEP_POLL;
    tell_started(o);
    operation_later(o, o->first_poll_usec);
}

static void go_on_saved(HttpOperation *o) {
    if (o->saving)
        return;
    if (!o->is_saved)
        operation_save(o, o->step);
    else if (o->step == OPERATION_STEP_SAVE_KEY)
        start(o);
    else
        poll_first(o);
}

/* The operation is known there, and somebody wants it to end. */
static bool is_to_ask_cancel(const HttpOperation *o) {
    return o->cancel == OPERATION_CANCEL_ASK && o->saved.url && o->step != OPERATION_STEP_RESULT;
}

void operation_next(HttpOperation *o) {
    if (o->call || o->held || o->step == OPERATION_STEP_ENDED)
        return;
    if (is_to_ask_cancel(o)) {
        o->step = OPERATION_STEP_POLL;
        tell_started(o);
        /* Between two tries: it may end while the server does not listen. */
        bool poll = o->poll_between;
        o->poll_between = false;
        if (poll)
            operation_poll(o);
        else
            operation_ask_cancel(o);
        return;
    }
    if (operation_is_cancelling(o) && o->step < OPERATION_STEP_SAVE_URL) {
        operation_end_unstarted(o);
        return;
    }
    switch (o->step) {
    case OPERATION_STEP_NEW:
        begin(o);
        break;
    case OPERATION_STEP_SAVE_KEY:
    case OPERATION_STEP_SAVE_URL:
        go_on_saved(o);
        break;
    case OPERATION_STEP_START:
        start(o);
        break;
    case OPERATION_STEP_POLL:
        operation_poll(o);
        break;
    case OPERATION_STEP_RESULT:
        operation_fetch(o);
        break;
    case OPERATION_STEP_ENDED:
        break;
    }
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    operation_next(userdata);
    return 0;
}

/* ---- the job ---- */

static HttpOperation *operation_of(const ExecJob *job) {
    return CONTAINER_OF(job, HttpOperation, job);
}

static void job_cancel(ExecJob *job) {
    operation_begin_cancel(operation_of(job));
}

/* There is no process here, and the server is not known to have something of the kind. */
static int job_kill(ExecJob *job, int signal) {
    return -EOPNOTSUPP;
}

static int job_pause(ExecJob *job, bool pause) {
    return -EOPNOTSUPP;
}

static int job_send(ExecJob *job, const char *text) {
    return -EOPNOTSUPP;
}

static void free_texts(HttpOperation *o) {
    free(o->body);
    free(o->cancel_body);
    free(o->label);
    free(o->hop);
    free(o->fetch_url);
    free(o->word);
    free(o->text);
    free(o->phase);
    free(o->failure);
    free(o->line);
    free(o->cancel_said);
    free(o->status);
}

static void job_free(ExecJob *job) {
    HttpOperation *o = operation_of(job);

    operation_drop_call(o);
    if (o->saving)
        o->spec.drop_save(o->job.userdata, o);
    sd_event_source_disable_unref(o->timer);
    sd_event_source_disable_unref(o->stop_timer);
    journal_lines_free(o->journal);
    log_file_done(&o->log);
    operation_saved_done(&o->saved);
    cJSON_Delete(o->json);
    free_texts(o);
    free(o);
}

static const ExecJobVTable job_vtable = {
    .cancel = job_cancel,
    .kill = job_kill,
    .pause = job_pause,
    .send = job_send,
    .free = job_free,
};

/* A body as it was given, with all the digits of its numbers. */
static int take_body(const char *params, const char *pointer, const cJSON *value, char **ret) {
    const char *raw;
    size_t size;

    if (!value)
        return 0;
    *ret = json_raw_get(params, pointer, &raw, &size) >= 0 ? strndup(raw, size)
                                                           : cJSON_PrintUnformatted(value);
    return *ret ? 0 : -ENOMEM;
}

static int read_params(HttpOperation *o, const char *params) {
    _cleanup_free_ char *error = NULL;
    int r = kind_parse_params(params, &o->json, &error);

    if (r >= 0)
        r = http_operation_params_read(o->json, &o->p, &error);
    if (r >= 0)
        r = take_body(params, "/body", o->p.body, &o->body);
    if (r >= 0)
        r = take_body(params, "/cancel_body", o->p.cancel_body, &o->cancel_body);
    return r;
}

/* What an earlier daemon has sent may have come through. What an earlier attempt has left is none
 * of this one's. */
static int take_up(HttpOperation *o, const char *saved) {
    int r = saved ? operation_saved_parse(saved, o->spec.attempt, &o->saved) : 0;

    if (r == -ESTALE)
        r = 0;
    if (r < 0 || !o->saved.key)
        return r;
    o->maybe_started = !o->saved.url;
    o->seen = o->saved.url;
    o->step = o->saved.url ? OPERATION_STEP_SAVE_URL : OPERATION_STEP_SAVE_KEY;
    o->is_saved = true;
    return 0;
}

static int set_up(HttpOperation *o, const HttpOperationSpec *spec) {
    int r = read_params(o, isempty(spec->params) ? "{}" : spec->params);

    o->saved.attempt = spec->attempt;
    o->pace.fixed_usec = o->p.poll_interval_usec;
    o->label = strdup(strempty(spec->label));
    if (r >= 0 && !o->label)
        r = -ENOMEM;
    if (r >= 0)
        r = take_up(o, spec->saved);
    /* Those that are taken up together do not ask together. */
    uint64_t first = o->saved.url ? operation_random() % OPERATION_INTERVAL_FIRST_USEC : 0;
    if (r >= 0)
        r = sd_event_add_time_relative(o->event, &o->timer, CLOCK_MONOTONIC, first,
                                       TIMER_ACCURACY_USEC, on_timer, o);
    return r;
}

int http_operation_start(sd_event *event, const HttpOperationSpec *spec, const ExecEvents *events,
                         void *userdata, ExecJob **ret) {
    HttpOperation *o = calloc(1, sizeof(HttpOperation));

    if (!o)
        return -ENOMEM;
    o->job = (ExecJob){.vtable = &job_vtable, .events = events, .userdata = userdata};
    o->event = event;
    o->spec = *spec;
    o->spec.params = o->spec.saved = o->spec.label = NULL;
    o->journal_socket = spec->journal;
    o->fraction = -1;
    log_file_init(&o->log, spec->log_dir, spec->id, spec->log_max);
    int r = set_up(o, spec);
    if (r < 0) {
        job_free(&o->job);
        return r;
    }
    /* After the bus: clients are answered first. */
    (void)sd_event_source_set_priority(o->timer, SD_EVENT_PRIORITY_NORMAL + 10);
    *ret = &o->job;
    return 0;
}

void http_operation_set_client(ExecJob *job, HttpClient *client) {
    HttpOperation *o = operation_of(job);
    bool under_way = o->call;

    o->maybe_started |= under_way && o->step == OPERATION_STEP_START;
    operation_drop_call(o);
    o->spec.client = client;
    if (under_way || (client && (o->lost_since > 0 || o->step == OPERATION_STEP_START)))
        operation_later(o, 0);
}

void http_operation_hurry(ExecJob *job) {
    HttpOperation *o = operation_of(job);

    if (!o->call && o->lost_since > 0)
        operation_later(o, 0);
}

bool http_operation_is_starting(const ExecJob *job) {
    const HttpOperation *o = operation_of(job);

    return (o->step == OPERATION_STEP_START && o->call) ||
           (o->step == OPERATION_STEP_SAVE_URL && o->saving);
}

void http_operation_hold(ExecJob *job) {
    operation_of(job)->held = true;
}
