#include "daemon/worker/worker-context.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"

#define PROGRESS_INTERVAL_USEC (20 * USEC_PER_MSEC)
#define SEND_TIMEOUT_MS 100   /* for what the next message of its sort makes good */
#define FINAL_TIMEOUT_MS 1000 /* for what nothing makes good */

static volatile sig_atomic_t cancelled;

static void on_signal(int signal) {
    cancelled = 1;
}

/* The two signals are unblocked all the time but within sleep, which lets them in where it waits.
 */
static void take_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t mask;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static bool on_cancelled(TaskContext *c) {
    return cancelled;
}

static WorkerContext *worker(TaskContext *c) {
    return CONTAINER_OF(c, WorkerContext, context);
}

/* ---- progress, phase, status, closing words ---- */

static void send_one(WorkerContext *w, const char *key, const char *value) {
    Fields f = {};

    fields_add(&f, key, value);
    worker_notify_send(&w->notify, &f, SEND_TIMEOUT_MS, false);
}

static void add_progress(const WorkerContext *w, Fields *f) {
    fields_addf(f, NOTIFY_DONE, "%" PRIu64, w->done);
    fields_addf(f, NOTIFY_TOTAL, "%" PRIu64, w->total);
    if (w->ever_bytes)
        fields_add(f, NOTIFY_UNIT, w->bytes ? NOTIFY_UNIT_BYTES : "");
}

static void flush_progress(WorkerContext *w) {
    if (!w->progress_pending)
        return;

    Fields f = {};
    add_progress(w, &f);
    w->progress_pending = !worker_notify_send(&w->notify, &f, SEND_TIMEOUT_MS, false);
    w->progress_due_usec = clock_usec(CLOCK_MONOTONIC) + PROGRESS_INTERVAL_USEC;
}

static void on_progress(TaskContext *c, uint64_t done, uint64_t total, bool bytes) {
    WorkerContext *w = worker(c);

    w->done = done;
    w->total = total;
    w->bytes = bytes;
    w->ever_bytes |= bytes;
    w->progress_pending = w->notify.fd >= 0;
    if (w->progress_pending && clock_usec(CLOCK_MONOTONIC) >= w->progress_due_usec)
        flush_progress(w);
}

static void on_phase(TaskContext *c, const char *phase) {
    WorkerContext *w = worker(c);

    flush_progress(w);
    send_one(w, NOTIFY_PHASE, phase);
}

static void on_status(TaskContext *c, const char *text) {
    send_one(worker(c), NOTIFY_STATUS, text);
}

static void on_message(TaskContext *c, const char *text) {
    WorkerContext *w = worker(c);
    char *copy = strdup(text);

    if (!copy)
        return;
    free(w->message);
    w->message = copy;
}

void worker_context_conclude(WorkerContext *w, int r) {
    const char *message = w->message ?: r < 0 ? strerror(-r) : NULL;
    Fields f = {};

    if (w->progress_pending)
        add_progress(w, &f);
    if (message)
        fields_add(&f, NOTIFY_FINAL_MESSAGE, message);
    if (f.size > 0 && !worker_notify_send(&w->notify, &f, FINAL_TIMEOUT_MS, true) && message)
        fprintf(stderr, "%s\n", message);
}

/* ---- log ---- */

/* One write for a line: what comes from here is never mixed up within a line. */
static void on_log(TaskContext *c, bool error, const char *line) {
    int fd = error ? STDERR_FILENO : STDOUT_FILENO;
    struct iovec parts[] = {{.iov_base = (char *)line, .iov_len = strlen(line)},
                            {.iov_base = (char *)"\n", .iov_len = 1}};
    ssize_t n;

    do
        n = writev(fd, parts, ELEMENTSOF(parts));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return;

    size_t written = (size_t)n;
    if (written < parts[0].iov_len &&
        fd_write_full(fd, line + written, parts[0].iov_len - written) < 0)
        return;
    if (written <= parts[0].iov_len)
        fd_write_full(fd, "\n", 1);
}

/* ---- result ---- */

static int write_and_rename(int fd, const char *temporary, const char *path, const char *json) {
    int r = fd_write_full(fd, json, strlen(json));

    if (r < 0)
        return r;
    return rename(temporary, path) < 0 ? -errno : 0;
}

/* Whoever reads the file sees all of it or none. */
static int write_result(const char *path, const char *json) {
    _cleanup_free_ char *temporary = NULL;
    int r;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        temporary = NULL;
        return -ENOMEM;
    }
    _cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    r = write_and_rename(fd, temporary, path, json);
    if (r < 0)
        unlink(temporary);
    return r;
}

static int on_set_result(TaskContext *c, const char *json) {
    WorkerContext *w = worker(c);

    if (strlen(json) > w->result_max)
        return -EFBIG;
    if (w->result_path)
        return write_result(w->result_path, json);
    on_log(c, false, json);
    return 0;
}

/* ---- sleep ---- */

static int sleep_until(uint64_t deadline_usec, const sigset_t *while_waiting) {
    for (;;) {
        if (cancelled)
            return -ECANCELED;
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        if (now >= deadline_usec)
            return 0;
        uint64_t left = deadline_usec - now;
        struct timespec ts = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                              .tv_nsec = (long)(left % USEC_PER_SEC * NSEC_PER_USEC)};
        ppoll(NULL, 0, &ts, while_waiting);
    }
}

static void block_signals(sigset_t *ret_before) {
    sigset_t block;

    /* A signal between the look at the flag and the wait must not be missed: it is blocked from
     * before the look, and ppoll(2) lets it in. */
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigaddset(&block, SIGINT);
    sigprocmask(SIG_BLOCK, &block, ret_before);
}

static int on_sleep(TaskContext *c, uint64_t usec) {
    WorkerContext *w = worker(c);
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + usec;
    sigset_t before;

    /* Nothing may come for a long time now: what was held back is due. */
    if (usec >= PROGRESS_INTERVAL_USEC)
        flush_progress(w);

    block_signals(&before);
    int r = sleep_until(deadline, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return r;
}

/* ---- messages ---- */

static int receive_until(WorkerInput *in, uint64_t deadline_usec, const sigset_t *while_waiting,
                         char **ret) {
    bool late = false;

    for (;;) {
        if (cancelled)
            return -ECANCELED;
        int r = worker_input_take(in, MESSAGE_MAX, ret);
        if (r != -EAGAIN)
            return r;
        if (late)
            return -ETIMEDOUT;
        /* Once more after the time: what is there by then has come in time. */
        late = clock_usec(CLOCK_MONOTONIC) >= deadline_usec;
        worker_input_wait(in, deadline_usec, while_waiting);
    }
}

static int on_receive(TaskContext *c, uint64_t timeout_usec, char **ret) {
    WorkerContext *w = worker(c);
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t deadline = timeout_usec < USEC_INFINITY - now ? now + timeout_usec : USEC_INFINITY;
    sigset_t before;

    if (timeout_usec >= PROGRESS_INTERVAL_USEC)
        flush_progress(w);
    block_signals(&before);
    int r = receive_until(w->input, deadline, &before, ret);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return r;
}

static int on_send(TaskContext *c, const char *text) {
    Fields f = {};

    fields_add(&f, NOTIFY_MESSAGE, text);
    return worker_notify_send(&worker(c)->notify, &f, SEND_TIMEOUT_MS, false) ? 0 : -ENOBUFS;
}

/* ---- */

static const TaskContextVTable worker_vtable = {
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

void worker_context_init(WorkerContext *w, const char *notify_address, WorkerInput *input,
                         const char *result_path, uint64_t result_max) {
    *w = (WorkerContext){.context.vtable = &worker_vtable,
                         .notify.fd = -EBADF,
                         .input = input,
                         .result_path = result_path,
                         .result_max = result_max};
    int r = notify_address ? worker_notify_open(&w->notify, notify_address) : 0;
    if (r < 0)
        fprintf(stderr, "NOTIFY_SOCKET=%s: %s, ignoring\n", notify_address, strerror(-r));
    take_signals();
}

void worker_context_done(WorkerContext *w) {
    worker_notify_close(&w->notify);
    free(w->message);
}
